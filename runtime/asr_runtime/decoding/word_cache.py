"""Scores of words after their contexts that a search asked for a moment ago.

A word ends in several neighbouring frames, and hypotheses that share their last words end the same
ones; so most questions come again soon. Each has one place in a table, which the next question for
that place takes over.
"""

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.word_scores import Contexts, Scores, WordScorer

_PLACE_BITS = 12
_WORD_BITS = 20
_FACTOR = np.int64(-7046029254386353131)
"""Odd, and of no pattern: 2^64 divided by the golden ratio."""


class WordCache:
    """`WordScorer.score` with a memory; of one search, for it changes while it is asked."""

    def __init__(self, words: WordScorer) -> None:
        self._words = words
        size = 1 << _PLACE_BITS
        # No question has the number -1.
        self._keys = np.full(size, -1, np.int64)
        self._scores = np.zeros(size, np.float64)
        self._following = np.zeros(size, np.int64)

    def score(self, contexts: Contexts, words: npt.NDArray[np.int32]) -> tuple[Scores, Contexts]:
        """As `WordScorer.score`."""
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
