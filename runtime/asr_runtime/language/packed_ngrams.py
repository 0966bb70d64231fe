"""Sorted n-grams in blocks of 32, searched where they lie, without unpacking them first.

An n-gram is a number within the row of its context. A block's numbers are stored by bit: the first
bits of all 32, the second bits, …, as many as the largest needs. So one comparison of a 32-bit word
tells of 32 n-grams whether they have a bit in common with what is sought (bit slicing: P. O'Neil,
D. Quass, "Improved query performance with variant indexes", SIGMOD 1997). What memory holds besides
the file is one number for each block, the first n-gram's, for a binary search among the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from asr_runtime.language.bit_vector import popcount

BLOCK = 32
"""N-grams of a block, a bit of a uint32 each."""

VALUE_BITS = 16
"""Most bits of an n-gram's number within its row."""

_BLOCK_BITS = 5
_PLACE = BLOCK - 1
_ONE = np.uint32(1)
_BYTE_ONE = np.uint8(1)
_ALL = np.uint32(0xFFFFFFFF)
_BUT_ONE = np.uint32(0xFFFFFFFE)
_VALUE = (1 << VALUE_BITS) - 1

Indices = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint32]


class PackedNgrams:
    """The n-grams of one order, in rows by their contexts. Rows are numbered in their order.

    A block is so many uint32: the bits that begin a row; those of n-grams that are contexts, if
    these can be contexts; and those of the numbers within the rows, from the lowest on, less the
    block's first number if all of it is one row. In the last block, bits that are left over begin
    rows.

    Attributes:
        rows: Number of rows.
    """

    def __init__(
        self,
        number: int,
        first: npt.NDArray[np.uint16],
        width: npt.NDArray[np.uint8],
        blocks: Bits,
        heads: bool,
    ) -> None:
        """Index the blocks.

        Args:
            number: How many n-grams there are.
            first: Number within its row of each block's first n-gram, uint16 [blocks].
            width: Bits of each block's numbers, uint8 [blocks].
            blocks: All blocks, one after another, uint32.
            heads: Whether these n-grams can be contexts.

        Raises:
            ValueError: The arrays do not fit each other.
        """
        count = max(1, -(-number // BLOCK))
        if number < 0 or not len(first) == len(width) == count or width.max() > VALUE_BITS:
            raise ValueError("blocks are missing")
        self._number = number
        self._data = blocks
        self._width = width
        self._value = 1 + heads
        sizes = width.astype(np.int64)
        sizes += self._value
        ends = sizes.cumsum()
        if len(blocks) != ends[-1] + VALUE_BITS:
            raise ValueError("n-grams are missing")
        # A look at a block is a look at as many words as the largest could have.
        self._blocks = sliding_window_view(blocks, self._value + VALUE_BITS)
        self._offsets = np.zeros(count, np.int32)
        self._offsets[1:] = ends[:-1]
        starts = blocks.take(self._offsets)
        left = count * BLOCK - number
        if not starts[0] & _ONE or int(starts[-1]) >> (BLOCK - left) != (1 << left) - 1:
            raise ValueError("rows have no beginning")
        begun = np.asarray(popcount(starts)).astype(np.int64)
        # The row of each block's first n-gram.
        row = begun.cumsum() - begun + (starts & _ONE) - 1
        self.rows = int(begun.sum()) - left
        self._samples = (row << VALUE_BITS) | first
        self._samples[0] = 0
        # What the numbers of a block are less: its first one if all of it is one row.
        self._base = np.where(starts & _BUT_ONE == 0, first, 0).astype(np.int32)
        if heads:
            bits = np.asarray(popcount(blocks.take(self._offsets + 1)))
            self._heads_before = np.zeros(count + 1, np.int32)
            bits.cumsum(out=self._heads_before[1:])

    @property
    def heads(self) -> int:
        """Number of n-grams that are contexts."""
        return int(self._heads_before[-1])

    def begins(self) -> npt.NDArray[np.int32]:
        """Return where each row begins, int32 [rows]."""
        places = []
        step = 1 << 12
        for block in range(0, len(self._offsets), step):
            bits = _bits_of(self._data.take(self._offsets[block : block + step]))
            places.append(bits.nonzero()[0].astype(np.int32) + np.int32(block * BLOCK))
        found: npt.NDArray[np.int32] = np.concatenate(places)[: self.rows]
        return found

    def all(self) -> tuple[Indices, Indices]:
        """Return the row of every n-gram and its number within it. It takes much memory.

        Returns:
            Rows and numbers, int64 [ngrams] both.
        """
        words = self._blocks[self._offsets]
        rows = _bits_of(words[:, 0]).astype(np.int64).cumsum() - 1
        planes = words[:, self._value :] & _USED.take(self._width, axis=0)
        values = np.repeat(self._base.astype(np.int64), BLOCK)
        for bit in range(VALUE_BITS):
            values += _bits_of(planes[:, bit]).astype(np.int64) << bit
        return rows[: self._number], values[: self._number]

    def all_heads(self) -> npt.NDArray[np.bool_]:
        """Tell which n-grams are contexts, bool [ngrams]."""
        return _bits_of(self._data.take(self._offsets + 1))[: self._number].astype(bool)

    def find(self, rows: Indices, values: Indices) -> tuple[npt.NDArray[np.bool_], Indices, Bits]:
        """Look for n-grams.

        Args:
            rows: Row of each, int64 [queries].
            values: Number of each within its row, int64 [queries].

        Returns:
            Whether there is such a one, bool [queries]; its index, int64 [queries]; and the block's
            words, uint32 [queries, words], for `are_heads`. Of n-grams that are not there the last
            two mean nothing.
        """
        block = self._samples.searchsorted((rows << VALUE_BITS) | values, "right")
        block -= 1
        sample = self._samples.take(block)
        words = self._blocks[self._offsets.take(block)]
        inner = words[:, 0] & _BUT_ONE
        values = values - self._base.take(block)
        planes = words[:, self._value :] & _USED.take(self._width.take(block), axis=0)
        planes ^= _LOW_BYTE.take(values & 255, axis=0)
        planes ^= _HIGH_BYTE.take((values >> 8) & 255, axis=0)
        # No bit is set where the number is the same.
        other = np.bitwise_or.reduce(planes, axis=1)
        row = rows - (sample >> VALUE_BITS)
        # The first that has the number, if its row is the one: so many rows begin up to there.
        next_one = other + _ONE
        up_to = other ^ next_one
        found = popcount(inner & up_to) == row
        found &= next_one != 0
        other |= up_to
        again = ((other != _ALL) > found).nonzero()[0]
        while len(again):
            rest = other.take(again)
            here = rest ^ (rest + _ONE)
            up_to[again] = here
            rest |= here
            other[again] = rest
            own = popcount(inner.take(again) & here) == row.take(again)
            found[again] = own
            again = again[(rest != _ALL) > own]
        return found, (block << _BLOCK_BITS) + (popcount(up_to) - _BYTE_ONE), words

    def are_heads(self, words: Bits, index: Indices) -> npt.NDArray[np.bool_]:
        """Tell whether n-grams are contexts.

        Args:
            words: The blocks' words that `find` returned, uint32 [queries, words].
            index: The indices that it returned, int64 [queries].

        Returns:
            bool [queries].
        """
        heads: npt.NDArray[np.bool_] = words[:, 1] & _PLACE_BIT.take(index & _PLACE) != 0
        return heads

    def context(self, index: Indices) -> tuple[Indices, Indices]:
        """Return the rows of contexts in the next order, and their own numbers.

        Args:
            index: N-grams that are contexts, int64 [queries].

        Returns:
            Rows and numbers, int64 [queries] both.
        """
        block = index >> _BLOCK_BITS
        own = _PLACE_BIT.take(index & _PLACE)
        words = self._blocks[self._offsets.take(block)]
        row = self._heads_before.take(block).astype(np.int64)
        row += popcount(words[:, 1] & (own - _ONE))
        planes = words[:, self._value :] & _USED.take(self._width.take(block), axis=0)
        bits = (planes & own[:, None]) != 0
        values = np.packbits(bits, axis=1, bitorder="little").view("<u2")[:, 0].astype(np.int64)
        values += self._base.take(block)
        return row, values


def _bits_of(words: Bits) -> npt.NDArray[np.uint8]:
    little = np.ascontiguousarray(words, "<u4").view(np.uint8)
    return np.unpackbits(little, bitorder="little")


def _by_bit(numbers: npt.NDArray[Any], count: int) -> Bits:
    """Return all bits set where a number has a bit, none where it does not, [numbers, count]."""
    return np.where((numbers[:, None] >> np.arange(count)) & 1, _ALL, np.uint32(0))


_USED = _by_bit((1 << np.arange(VALUE_BITS + 1)) - 1, VALUE_BITS)
_LOW_BYTE = _by_bit(np.arange(256), VALUE_BITS)
_HIGH_BYTE = _by_bit(np.arange(256) << 8, VALUE_BITS)
_PLACE_BIT = _ONE << np.arange(BLOCK, dtype=np.uint32)
