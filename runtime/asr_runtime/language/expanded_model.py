"""Models in files of format 1, with a number for each n-gram in memory: 4 bytes and quick to find.

The arrays of such a file, where n is an order from 1:

- ``words``: the vocabulary in alphabetical order, joined by newlines; word ids start at FIRST_WORD.
- ``word<n>`` uint16: last words of the n-grams, sorted by context and word. Order 1 has all ids.
- ``probability<n>`` uint8, ``probability_values<n>`` float32: codes, and their natural logarithms.
- ``starts<n>`` bits: where the n-grams of the next context begin.
- ``heads<n>`` bits: which n-grams are contexts of longer ones; the contexts of order n + 1 in turn.
- ``backoff<n>`` uint8, ``backoff_values<n>`` float32: of the contexts alone, as probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.bit_vector import BitVector
from asr_runtime.language.language_model import BOUNDARY, LanguageModel

_WORD_BITS = 16


class ExpandedModel(LanguageModel):
    """A model of format 1. States: ids for the last word alone, numbers from there on for two."""

    start = BOUNDARY

    def __init__(self, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Put the arrays of a file together.

        Args:
            header: Of the file.
            arrays: Of the file, checked by `check_expanded`.
        """
        super().__init__(
            header,
            bytes(arrays["words"]),
            arrays["probability_values1"][arrays["probability1"]],
            arrays,
        )
        size = len(self._unigrams)
        heads = _bits(arrays["heads1"], size)
        self._backoff1 = np.zeros(size, np.float32)
        self._backoff1[heads] = arrays["backoff_values1"][arrays["backoff1"]]
        self._keys2 = _keys(arrays, 2, np.flatnonzero(heads).astype(np.uint32))
        self._probability2 = arrays["probability2"]
        self._values2 = arrays["probability_values2"]
        if self.order == 3:
            self._heads2 = BitVector(arrays["heads2"], len(self._keys2))
            contexts = np.flatnonzero(_bits(arrays["heads2"], len(self._keys2)))
            # Their numbers without what is above the word's place: sorted in blocks of contexts.
            self._keys3 = _keys(arrays, 3, np.arange(len(contexts), dtype=np.uint32))
            begins = np.flatnonzero(_bits(arrays["starts3"], len(self._keys3)))
            self._blocks = np.append(begins[:: 1 << _WORD_BITS], len(self._keys3)).tolist()
            self._probability3 = arrays["probability3"]
            self._values3 = arrays["probability_values3"]
            self._backoff2 = arrays["backoff_values2"][arrays["backoff2"]]
            self._last = arrays["word2"][contexts]

    def score(
        self, states: npt.NDArray[np.int32], words: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Score words [n] after states [n], as `LanguageModel.score` says."""
        size = len(self._unigrams)
        longer = states >= size
        context = states
        if longer.any():
            row = np.where(longer, states - size, 0)
            context = np.where(longer, self._last[row], states)
        # Of one type with the table, or numpy would convert the table for every call.
        keys = (context.astype(np.uint32) << np.uint32(_WORD_BITS)) | words.astype(np.uint32)
        index = np.minimum(np.searchsorted(self._keys2, keys), len(self._keys2) - 1)
        seen = self._keys2[index] == keys
        scores = np.where(
            seen,
            self._values2[self._probability2[index]],
            self._backoff1[context] + self._unigrams[words],
        )
        following = words.astype(np.int32)
        if self.order == 3:
            # Itself if the bigram is a context, else its last word.
            head = seen & self._heads2.at(index)
            following[head] = size + self._heads2.rank(index[head])
        if longer.any():
            keys = (row.astype(np.uint32) << np.uint32(_WORD_BITS)) | words.astype(np.uint32)
            index = self._find3(keys, row >> _WORD_BITS)
            seen = longer & (self._keys3[index] == keys)
            scores = scores + np.where(longer, self._backoff2[row], np.float32(0))
            scores[seen] = self._values3[self._probability3[index[seen]]]
        return scores, following

    def _find3(
        self, keys: npt.NDArray[np.uint32], block: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int64]:
        """Return where each key is in its block of trigrams, or would be, int64 [queries]."""
        index = np.zeros(len(keys), np.int64)
        for number, (begin, end) in enumerate(pairwise(self._blocks)):
            found = np.searchsorted(self._keys3[begin:end], keys)
            np.copyto(index, begin + np.minimum(found, end - begin - 1), where=block == number)
        return index


def _bits(packed: npt.NDArray[np.uint8], number: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(packed, count=number, bitorder="little").astype(bool)


def _keys(
    arrays: Mapping[str, npt.NDArray[Any]], order: int, contexts: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Return context and word of each n-gram in one sorted number, of the contexts' type."""
    words = arrays[f"word{order}"]
    context = np.cumsum(_bits(arrays[f"starts{order}"], len(words)), dtype=np.int32)
    context -= 1
    keys: npt.NDArray[Any] = contexts[context]
    keys <<= _WORD_BITS
    keys |= words
    return keys
