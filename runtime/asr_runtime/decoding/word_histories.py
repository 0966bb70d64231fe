"""How probable words are by n-grams and a neural network together, after all words before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.word_scores import FIRST_HOTWORD
from asr_runtime.language.language_model import UNKNOWN, LanguageModel
from asr_runtime.language.word_network import BOUNDARY_ROW, FIRST_ROW, Floats, WordNetwork

NO_WORD_ID = -1
"""In place of a word's id where no word ends."""

_NO_STATE: Floats = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Context:
    """The words before the first one, as the n-grams and the network know them.

    Attributes:
        ngrams: The n-grams' state.
        network: The network's state, float32 [hidden].
    """

    ngrams: int
    network: Floats


class WordMixture:
    """Probabilities of n-grams and of a network, mixed word by word.

    Attributes:
        model: The n-grams that the search used.
        network: Scores words after all words before them.
        weight: By which the logarithms count in the search.
        log_ngram_share: Logarithm of the n-grams' part.
        log_network_share: Logarithm of the network's part.
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
        self.log_ngram_share, self.log_network_share = np.log1p(-share), np.log(share)
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
        inputs = self.network.inputs(self.network.row.take(ids))
        ngrams = np.array([context.ngrams], np.int32)
        state = context.network[None]
        for place in range(len(ids)):
            _, ngrams = self.model.score(ngrams, ids[place : place + 1])
            state = self.network.advance(inputs[place : place + 1], state)
        return Context(int(ngrams[0]), state[0])


class WordHistories:
    """Sequences of words from a beginning on; each once, under a number. 0 is that of no words.

    Attributes:
        known: The number of a sequence, by that of the one before its last word, and that word.
        gains: Nats of the search's scores that each is more probable than by the n-grams alone.
        ngrams: The n-grams' state after each.
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

        Words that the network does not know stay as probable as they were.

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
            ngrams = scores.astype(np.float64)
            rows = network.row.take(ids)
            before, place = np.unique([history for history, _ in new], return_inverse=True)
            vectors = np.stack([self.states[history] for history in before.tolist()])
            said = network.log_probs(vectors, place, rows) + mixture.log_network_share
            mixed = np.logaddexp(ngrams + mixture.log_ngram_share, said)
            gains = np.where(rows >= FIRST_ROW, mixed - ngrams, 0.0) * mixture.weight
            for number, (history, word) in enumerate(new, len(self.gains)):
                self.known[history, word] = number
                hotwords = self.hotwords[history]
                self.hotwords.append((*hotwords, word) if word <= FIRST_HOTWORD else hotwords)
            self.gains += [
                self.gains[history] + gain
                for (history, _), gain in zip(new, gains.tolist(), strict=True)
            ]
            self.ngrams += following.tolist()
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
