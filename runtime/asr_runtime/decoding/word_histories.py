"""How probable words are by n-grams and a neural network together, after all words before them.

Each has a share of the probability. The network's falls while it foretells the words worse: of
recipes, n-grams of recipes know more than a network of novels (R. Kneser, V. Steinbiss, "On the
dynamic adaptation of stochastic language models", ICASSP 1993). It never grows beyond what it is at
the beginning: that cost accuracy in long recordings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.word_scores import FIRST_HOTWORD, Scores
from asr_runtime.language.language_model import UNKNOWN, LanguageModel
from asr_runtime.language.word_network import (
    BOUNDARY_ROW,
    FIRST_ROW,
    Floats,
    Rows,
    WordNetwork,
)

NO_WORD_ID = -1
"""In place of a word's id where no word ends."""

_MEMORY = 0.9
"""What a word counts for the shares, as a part of what it counted one word before."""

_MOST_ODDS = 9.0
"""Nats by which the shares' odds fall at most."""

_NO_STATE: Floats = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Context:
    """The words before the first one, as the n-grams and the network know them.

    Attributes:
        ngrams: The n-grams' state.
        network: The network's state, float32 [hidden].
        odds: Nats by which the odds that the network's share has to that of the n-grams have
            changed, 0 or less.
    """

    ngrams: int
    network: Floats
    odds: float = 0.0


class WordMixture:
    """Probabilities of n-grams and of a network, mixed word by word.

    Attributes:
        model: The n-grams that the search used.
        network: Scores words after all words before them.
        weight: By which the logarithms count in the search.
        start: What the beginning of a sentence is.
    """

    def __init__(self, model: LanguageModel, network: WordNetwork, config: BeamConfig) -> None:
        """Take what all utterances have in common.

        Args:
            model: The n-grams that the search used.
            network: Scores words after all words before them.
            config: Settings of the search.
        """
        self.model, self.network = model, network
        self.weight = config.language_model_weight
        share = config.network_share
        self._first_odds = np.log(share) - np.log1p(-share)
        self._adaptation = config.share_adaptation
        inputs = network.inputs(np.array([BOUNDARY_ROW]))
        nothing = np.zeros((1, network.hidden), np.float32)
        self.start = Context(model.start, network.advance(inputs, nothing)[0])

    def after(self, words: Sequence[int], context: Context | None = None) -> Context:
        """Return the context after some words.

        Args:
            words: Their ids.
            context: Before them; None for the beginning of a sentence.
        """
        context = context or self.start
        ids = np.maximum(np.array(words, np.int32), UNKNOWN)
        rows = self.network.row.take(ids)
        inputs = self.network.inputs(rows)
        ngrams = np.array([context.ngrams], np.int32)
        state, odds = context.network[None], np.array([context.odds])
        for place in range(len(ids)):
            one = slice(place, place + 1)
            by_ngrams, ngrams = self.model.score(ngrams, ids[one])
            by_network = self.network.log_probs(state, np.zeros(1, np.int64), rows[one])
            odds = self.later_odds(by_ngrams.astype(np.float64), by_network, rows[one], odds)
            state = self.network.advance(inputs[one], state)
        return Context(int(ngrams[0]), state[0], float(odds[0]))

    def gains(self, by_ngrams: Scores, by_network: Floats, rows: Rows, odds: Scores) -> Scores:
        """Return by how much words are more probable than by the n-grams alone.

        Words that the network does not know stay as probable as they were.

        Args:
            by_ngrams: Natural logarithms, float64 [words].
            by_network: Natural logarithms, float32 [words].
            rows: Words, as the network numbers them, int64 [words].
            odds: `Context.odds` before each, float64 [words].

        Returns:
            Nats of the search's scores, float64 [words].
        """
        odds = self._first_odds + odds
        mixed = np.logaddexp(by_ngrams - np.logaddexp(0, odds), by_network - np.logaddexp(0, -odds))
        gains: Scores = np.where(rows >= FIRST_ROW, mixed - by_ngrams, 0.0) * self.weight
        return gains

    def later_odds(self, by_ngrams: Scores, by_network: Floats, rows: Rows, odds: Scores) -> Scores:
        """Return `Context.odds` after words; the arguments are those of `gains`."""
        later = _MEMORY * odds + self._adaptation * (by_network - by_ngrams)
        later = np.clip(later, -_MOST_ODDS, 0.0)
        changed: Scores = np.where(rows >= FIRST_ROW, later, odds)
        return changed


class WordHistories:
    """Sequences of words from a beginning on; each once, under a number. 0 is that of no words.

    Attributes:
        known: The number of a sequence, by that of the one before its last word, and that word.
        gains: Nats of the search's scores that each is more probable than by the n-grams alone.
        ngrams: The n-grams' state after each.
        odds: `Context.odds` after each.
        hotwords: The hotwords in each.
        states: The network's state after each, float32 [hidden], where `advance` was asked for it;
            else an array of nothing.
    """

    def __init__(self, mixture: WordMixture, context: Context) -> None:
        """Begin with no words.

        Args:
            mixture: Says how probable words are.
            context: What comes before them.
        """
        self._mixture = mixture
        self.known: dict[tuple[int, int], int] = {}
        self.gains = [0.0]
        self.ngrams = [context.ngrams]
        self.odds = [context.odds]
        self.hotwords: list[tuple[int, ...]] = [()]
        self.states = [context.network]
        self._last = [(0, NO_WORD_ID)]
        self._rows = [BOUNDARY_ROW]

    def words(self, history: int) -> tuple[int, ...]:
        """Return the ids of a sequence's words."""
        found = []
        while history:
            history, word = self._last[history]
            found.append(word)
        return tuple(reversed(found))

    def extend(self, asked: Iterable[tuple[int, int]]) -> list[int]:
        """Add a word to sequences.

        Args:
            asked: Sequences, after which the network's state is known, and words.

        Returns:
            The numbers of the longer sequences.
        """
        asked = list(asked)
        new = [each for each in dict.fromkeys(asked) if each not in self.known]
        if new:
            mixture = self._mixture
            model, network = mixture.model, mixture.network
            ids = np.array([max(word, UNKNOWN) for _, word in new], np.int32)
            states = np.array([self.ngrams[history] for history, _ in new], np.int32)
            scores, following = model.score(states, ids)
            by_ngrams = scores.astype(np.float64)
            rows = network.row.take(ids)
            before, place = np.unique([history for history, _ in new], return_inverse=True)
            vectors = np.stack([self.states[history] for history in before.tolist()])
            by_network = network.log_probs(vectors, place, rows)
            odds = np.array([self.odds[history] for history, _ in new])
            gains = mixture.gains(by_ngrams, by_network, rows, odds)
            for number, (history, word) in enumerate(new, len(self.gains)):
                self.known[history, word] = number
                hotwords = self.hotwords[history]
                self.hotwords.append((*hotwords, word) if word <= FIRST_HOTWORD else hotwords)
            self.gains += [
                self.gains[history] + gain
                for (history, _), gain in zip(new, gains.tolist(), strict=True)
            ]
            self.ngrams += following.tolist()
            self.odds += mixture.later_odds(by_ngrams, by_network, rows, odds).tolist()
            self.states += [_NO_STATE] * len(new)
            self._last += new
            self._rows += rows.tolist()
        return [self.known[each] for each in asked]

    def advance(self, histories: Iterable[int]) -> None:
        """Find the network's state after sequences of words."""
        new = [each for each in dict.fromkeys(histories) if not len(self.states[each])]
        if not new:
            return
        network = self._mixture.network
        inputs = network.inputs(np.array([self._rows[each] for each in new]))
        before = np.stack([self.states[self._last[each][0]] for each in new])
        for each, state in zip(new, network.advance(inputs, before), strict=True):
            self.states[each] = state
