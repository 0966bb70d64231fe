"""What the search asks of a language model, and the words that have ids of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.pronunciations import COUNTS_ARRAY, PHONEMES_ARRAY, Pronunciations
from asr_runtime.language.word_list import WordList
from asr_runtime.language.word_network import NETWORK, WordNetwork

UNKNOWN = 0
"""Id of every word outside the vocabulary."""
BOUNDARY = 1
"""Id of a sentence's start as context, and of its end as a word."""
FIRST_WORD = 2
"""Id of the first word of the vocabulary; the ids before it are these two."""

STATE_BITS = 24
"""Bits of a state, of which `word_scores` makes contexts."""


class LanguageModel(ABC):
    """Probabilities of words after the words before them.

    A state stands for all that the words before say about the next one, in STATE_BITS.

    Attributes:
        start: State at the beginning of a sentence.
        header: Of the file; what it says about the model.
        order: Words of the longest n-grams.
        network: Neural network beside the n-grams; None if the file has none.
    """

    start: int

    def __init__(
        self,
        header: Mapping[str, Any],
        text: bytes,
        unigrams: npt.NDArray[np.float32],
        arrays: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        """Keep what all formats have in common.

        Args:
            header: Of the file.
            text: The vocabulary, joined by newlines.
            unigrams: Natural-log probability of each word id by itself, float32 [ids].
            arrays: Of the file; those that say how words are spoken are kept.

        Raises:
            ValueError: The words and their probabilities differ in number.
        """
        self.header = header
        self.order: int = header["order"]
        self._unigrams = unigrams
        self._words = WordList(text)
        self._spoken = {
            name: arrays[name] for name in (PHONEMES_ARRAY, COUNTS_ARRAY) if name in arrays
        }
        if len(unigrams) != len(self._words) + FIRST_WORD:
            raise ValueError("its words and probabilities differ in number")
        self.network: WordNetwork | None = None
        if NETWORK in header:
            self.network = WordNetwork(header, arrays, len(unigrams))

    @property
    def words(self) -> WordList:
        """The vocabulary, ASCII, in alphabetical order; word ids start at FIRST_WORD."""
        return self._words

    def knows(self, word: str) -> bool:
        """Tell whether a word is in the vocabulary."""
        return self.word_id(word) != UNKNOWN

    def word_id(self, word: str) -> int:
        """Return the id of a word, UNKNOWN of one outside the vocabulary."""
        place = bisect_left(self._words, word)
        if place < len(self._words) and self._words[place] == word:
            return FIRST_WORD + place
        return UNKNOWN

    def log_probs(self, words: Sequence[str]) -> npt.NDArray[np.float32]:
        """Say how probable each word of a sentence is after those before it.

        Args:
            words: All words of the sentence up to some place.

        Returns:
            Natural-log probabilities, float32 [words].
        """
        ids = np.array([self.word_id(word) for word in words], np.int32)
        log_probs = np.zeros(len(ids), np.float32)
        states = np.full(len(ids), self.start, np.int32)
        # All words at once, first as if each began the sentence. Each time their states know of
        # one word more, until they know as many as an n-gram holds.
        for known in range(min(self.order, len(ids))):
            log_probs[known:], following = self.score(states[known:], ids[known:])
            states[known + 1 :] = following[:-1]
        return log_probs

    @property
    def unigrams(self) -> npt.NDArray[np.float32]:
        """Natural-log probability of each word id by itself, float32 [ids]."""
        return self._unigrams

    def pronunciations(self) -> Pronunciations | None:
        """Return how the words of the vocabulary are spoken, made anew each time.

        Returns:
            The pronunciations, None of a file that does not say.

        Raises:
            ValueError: The file is damaged.
        """
        if len(self._spoken) < 2:
            return None
        return Pronunciations.from_arrays(self._spoken, len(self._words))

    @abstractmethod
    def score(
        self, states: npt.NDArray[np.int32], words: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Score words after states.

        Args:
            states: int32 [queries].
            words: Word ids, int32 [queries].

        Returns:
            Natural-log probability of each word, float32 [queries], and the state that follows it,
            int32 [queries].
        """
