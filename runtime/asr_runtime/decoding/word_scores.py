"""What the beam search adds for each word: language model, word bonus, hotwords."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hotwords import PhraseScorer
from asr_runtime.language.language_model import FIRST_WORD, UNKNOWN, LanguageModel
from asr_runtime.language.word_list import WordList

_STATE_BITS = 24
_STATE_MASK = (1 << _STATE_BITS) - 1

FIRST_HOTWORD = -2
"""What `WordScorer.word_ids` has for the first word that the search spells, were it a hotword."""

_WORD_LETTERS = 2
"""Letters that a hotword's bonus has more than it has itself."""

Contexts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def with_hotwords(known: WordList, phrases: Collection[tuple[str, ...]]) -> WordList:
    """Return the words of a language model and of the hotwords, sorted.

    Args:
        known: The language model's words, sorted.
        phrases: Words of each hotword.
    """
    if not phrases:
        return known
    extra = {word for phrase in phrases for word in phrase}.difference(known)
    return WordList.of(sorted([*known, *extra])) if extra else known


class WordScorer:
    """Scores words one after another. A context is all that the words so far say about the next.

    Attributes:
        expected: What each word scores at best by itself, for the look-ahead, float32 [words].
        gains: The part of it that is for hotwords, float32 [words]; None if there are none.
        expected_unknown: What a word outside the vocabulary scores by itself.
        start: The context of no words.
    """

    def __init__(
        self,
        model: LanguageModel,
        known: Sequence[str],
        words: Sequence[str],
        phrases: Mapping[tuple[str, ...], float],
        config: BeamConfig,
    ) -> None:
        """Prepare the scores of a vocabulary.

        Args:
            model: Language model.
            known: Its words.
            words: These and those of the hotwords, as `with_hotwords` returns them; the search
                spells these.
            phrases: Words of each hotword, and its weight.
            config: Settings of the search.
        """
        self._model = model
        self._weight = config.language_model_weight
        self._word_bonus = config.word_bonus
        hot = {word for phrase in phrases for word in phrase}
        ids = np.arange(FIRST_WORD, FIRST_WORD + len(known), dtype=np.int32)
        # Words that the language model does not know are unknown words to it.
        if hot:
            places = [bisect_left(known, word) for word in sorted(hot.difference(known))]
            ids = np.insert(ids, places, UNKNOWN)
        # NO_WORD, which is -1, finds the last.
        self._ids = np.append(ids, np.int32(UNKNOWN))
        self.expected: npt.NDArray[np.float32] = model.unigrams[ids] * np.float32(
            self._weight
        ) + np.float32(self._word_bonus)
        self.expected_unknown = float(self._weight * model.unigrams[UNKNOWN]) + self._word_bonus
        # A large vocabulary has many hotwords as rare words, less probable than an unknown one.
        self._hot = np.zeros(len(self._ids), np.bool_)
        self._hot_texts = frozenset(hot)
        self._texts = words
        self.gains: npt.NDArray[np.float32] | None = None
        self.start = model.start
        self._phrases: PhraseScorer | None = None
        if phrases:
            index = {word: bisect_left(words, word) for word in hot}
            bonuses = {
                number: config.hotword_bonus * (len(word) + _WORD_LETTERS)
                for word, number in index.items()
            }
            self._phrases = PhraseScorer(
                [[index[word] for word in phrase] for phrase in phrases],
                bonuses,
                list(phrases.values()),
            )
            promised = dict.fromkeys(hot, 0.0)
            for phrase, weight in phrases.items():
                for word in phrase:
                    promised[word] = max(promised[word], weight * bonuses[index[word]])
            least = model.unigrams[UNKNOWN] * np.float32(self._weight) + np.float32(
                self._word_bonus
            )
            self.gains = np.zeros(len(self.expected), np.float32)
            numbers = np.array(list(index.values()), np.int64)
            self._hot[numbers] = True
            self.gains[numbers] = list(promised[word] for word in index)
            self.expected[numbers] = np.maximum(self.expected[numbers], least) + self.gains[numbers]

    def log_probs(self, words: Sequence[str]) -> list[float]:
        """Say how much each word of a sentence was to be expected.

        Args:
            words: The sentence.

        Returns:
            Natural-log probability of each word after those before it [words]; 0 of a hotword,
            because someone said that it would come.
        """
        log_probs: list[float] = self._model.log_probs(words).tolist()
        if not self._hot_texts:
            return log_probs
        return [
            0.0 if word in self._hot_texts else log_prob
            for word, log_prob in zip(words, log_probs, strict=True)
        ]

    def word_ids(self, words: npt.NDArray[np.int32]) -> list[int]:
        """Return what the language model knows words by.

        Args:
            words: Numbers of words, or NO_WORD, int32 [words].

        Returns:
            Word ids [words]; of hotwords, whose probability is not the language model's, numbers of
            their own, FIRST_HOTWORD and below.
        """
        hot = FIRST_HOTWORD - words.astype(np.int64)
        ids: list[int] = np.where(self._hot[words], hot, self._ids[words]).tolist()
        return ids

    def ids_of(self, words: Sequence[str]) -> list[int]:
        """Return `word_ids` of words by their texts."""
        return [
            FIRST_HOTWORD - bisect_left(self._texts, word)
            if word in self._hot_texts
            else self._model.word_id(word)
            for word in words
        ]

    def score(self, contexts: Contexts, words: npt.NDArray[np.int32]) -> tuple[Scores, Contexts]:
        """Score words after their contexts.

        Args:
            contexts: int64 [queries].
            words: Numbers of words, or NO_WORD for a word outside the vocabulary, int32 [queries].

        Returns:
            Scores in nats, float64 [queries], and the contexts that follow, int64 [queries].
        """
        logs, following = self._model.score(
            (contexts & _STATE_MASK).astype(np.int32), self._ids[words]
        )
        if self._phrases is not None:
            hot = self._hot.take(words).nonzero()[0]
            unknown, _ = self._model.score(
                (contexts[hot] & _STATE_MASK).astype(np.int32),
                np.full(len(hot), UNKNOWN, np.int32),
            )
            logs[hot] = np.maximum(logs[hot], unknown)
        scores = logs * np.float64(self._weight) + self._word_bonus
        context = following.astype(np.int64)
        if self._phrases is not None:
            gains, phrase = self._phrases.advance(contexts >> _STATE_BITS, words.astype(np.int64))
            scores += gains
            context |= phrase << _STATE_BITS
        return scores, context

    def finish(self, contexts: Contexts) -> Scores:
        """Score the end of the text.

        Args:
            contexts: int64 [queries].

        Returns:
            Scores in nats, float64 [queries].
        """
        if self._phrases is None:
            return np.zeros(len(contexts))
        return self._phrases.finish(contexts >> _STATE_BITS)


_PLACE_BITS = 12
_WORD_BITS = 20
_FACTOR = np.int64(-7046029254386353131)
"""Odd, and of no pattern: 2^64 divided by the golden ratio."""


class WordCache:
    """`WordScorer.score` with a memory; of one search, because it changes while it is asked.

    A word ends in several neighbouring frames, and hypotheses that share their last words end the
    same ones; so most questions come again soon. Each has one place in a table, which the next
    question for that place takes over.
    """

    def __init__(self, words: WordScorer) -> None:
        """Begin with an empty table.

        Args:
            words: Scores what is not in the table.
        """
        self._words = words
        size = 1 << _PLACE_BITS
        # No question has the number -1.
        self._keys = np.full(size, -1, np.int64)
        self._scores = np.zeros(size, np.float64)
        self._following = np.zeros(size, np.int64)

    def score(self, contexts: Contexts, words: npt.NDArray[np.int32]) -> tuple[Scores, Contexts]:
        """Score words after their contexts, as `WordScorer.score` does.

        Args:
            contexts: int64 [queries].
            words: int32 [queries].

        Returns:
            Scores in nats, float64 [queries], and the contexts that follow, int64 [queries].
        """
        keys = (contexts << _WORD_BITS) + words + 1
        places = ((keys * _FACTOR) >> 40) & ((1 << _PLACE_BITS) - 1)
        missing = (self._keys.take(places) != keys).nonzero()[0]
        scores, following = self._scores.take(places), self._following.take(places)
        if len(missing):
            asked = self._words.score(contexts.take(missing), words.take(missing))
            scores[missing], following[missing] = asked
            places = places.take(missing)
            self._keys[places] = keys.take(missing)
            self._scores[places], self._following[places] = asked
        return scores, following
