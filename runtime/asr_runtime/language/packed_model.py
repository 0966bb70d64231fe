"""Models in files of format 2, searched as they lie in the mapped file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.bit_vector import CODES, packed_bytes, take_codes
from asr_runtime.language.language_model import BOUNDARY, STATE_BITS, LanguageModel
from asr_runtime.language.packed_ngrams import PackedNgrams


class PackedModel(LanguageModel):
    """A model of format 2.

    States are the last word's rank, and numbers from that of words on for the last two where the
    model tells them apart, by the place of the bigram.
    """

    def __init__(self, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Put the arrays of a file together.

        Args:
            header: Of the file.
            arrays: Of the file, checked by `check_packed`.

        Raises:
            ValueError: The arrays make no model.
            KeyError: An array is missing.
        """
        codes = arrays["probability1"]
        unigrams = arrays["probability_values1"][codes]
        super().__init__(header, bytes(arrays["words"]), unigrams, arrays)
        size = len(self._unigrams)
        ranked = np.argsort(-self._unigrams, kind="stable")
        self._rank = np.empty(size, np.int64)
        self._rank[ranked] = np.arange(size)
        self.start = int(self._rank[BOUNDARY])
        numbers = header["ngrams"]
        if size + numbers["2"] > 1 << STATE_BITS:
            raise ValueError("there are too many bigrams")
        heads = np.unpackbits(arrays["heads1"], count=size, bitorder="little").astype(bool)
        contexts = int(np.count_nonzero(heads))
        # By rank: the row of each word's bigrams, one that does not exist for a word with none.
        self._row2 = np.full(size, 1 << 40, np.int64)
        self._row2[heads] = np.arange(contexts)
        self._backoff1 = np.zeros(size, np.float32)
        self._backoff1[heads] = arrays["backoff_values1"][arrays["backoff1"]]
        if len(arrays["backoff1"]) != contexts:
            raise ValueError("contexts and their back-off weights differ in number")
        longer = self.order > 2
        self._bigrams = _ngrams(header, arrays, 2, heads=longer)
        if self._bigrams.rows != contexts:
            raise ValueError("bigrams and their contexts differ in number")
        # The logarithms of bigrams, then of trigrams; so are their codes.
        self._values = _values(arrays, "probability_values2")
        self._number2 = numbers["2"]
        if longer:
            self._begin2 = np.zeros(size, np.int64)
            self._begin2[heads] = self._bigrams.begins()
            self._trigrams = _ngrams(header, arrays, 3, heads=False)
            contexts = self._bigrams.heads
            if not self._trigrams.rows == contexts == len(arrays["backoff2"]):
                raise ValueError("trigrams and their contexts differ in number")
            self._backoff2 = arrays["backoff2"]
            self._backoff_values2 = np.array(arrays["backoff_values2"])
            self._values = np.append(self._values, _values(arrays, "probability_values3"))
        self._last = sum(numbers[str(order)] for order in range(2, self.order + 1)) - 1
        self._codes = arrays["probability"]
        if len(self._codes) != packed_bytes(self._last + 1):
            raise ValueError("codes are missing")

    def score(
        self, states: npt.NDArray[np.int32], words: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Score words [n] after states [n], as `LanguageModel.score` says."""
        size = len(self._unigrams)
        rank = self._rank.take(words)
        context = states.astype(np.int64)
        longer = (context >= size).nonzero()[0]
        if len(longer):
            row, last = self._bigrams.context(context.take(longer) - size)
            # A damaged file might name a word that does not exist.
            context[longer] = np.minimum(last, size - 1)
        seen, index, blocks = self._bigrams.find(self._row2.take(context), rank)
        following = rank.astype(np.int32)
        if self.order > 2:
            # Itself if the bigram is a context, else its last word.
            head = (seen & self._bigrams.are_heads(blocks, index)).nonzero()[0]
            following[head] = index.take(head) + size
        scores = self._backoff1.take(context)
        scores += self._unigrams.take(words)
        if not len(longer):
            code = take_codes(self._codes, np.minimum(index, self._number2 - 1))
            np.copyto(scores, self._values.take(code), where=seen)
            return scores, following
        backoff = self._backoff_values2.take(self._backoff2.take(row))
        both = seen.take(longer).nonzero()[0]
        queries = longer.take(both)
        place = index.take(queries) - self._begin2.take(context.take(queries))
        known, third, _ = self._trigrams.find(row.take(both), place)
        hits = known.nonzero()[0]
        # One look at the codes for both orders.
        index[queries.take(hits)] = third.take(hits) + self._number2
        backoff[both.take(hits)] = 0
        code = take_codes(self._codes, np.minimum(index, self._last))
        np.copyto(scores, self._values.take(code + (index >= self._number2) * CODES), where=seen)
        scores[longer] += backoff
        return scores, following


def _ngrams(
    header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], order: int, heads: bool
) -> PackedNgrams:
    return PackedNgrams(
        header["ngrams"][str(order)],
        arrays[f"first{order}"],
        arrays[f"width{order}"],
        arrays[f"blocks{order}"],
        heads,
    )


def _values(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[np.float32]:
    if len(arrays[name]) != CODES:
        raise ValueError("values for codes are missing")
    return np.array(arrays[name])
