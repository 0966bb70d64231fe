"""Packed arrays: bits that know their rank, and codes of four bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

popcount: Any = getattr(np, "bitwise_count", None)  # numpy 2
"""Bits that are set in each of some uint32 or uint64."""

if popcount is None:
    _POPCOUNT16 = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)

    def popcount(bits: npt.NDArray[Any]) -> Any:
        """Count the bits that are set in each of some uint32 or uint64; uint8, shape as given."""
        sixteens = np.ascontiguousarray(bits).view(np.uint16).reshape(*bits.shape, -1)
        return _POPCOUNT16[sixteens].sum(axis=-1, dtype=np.uint8)


class BitVector:
    """Bits with rank queries, in 2 bits each.

    The method is that of succinct data structures (G. Jacobson, "Space-efficient static trees",
    1989).
    """

    def __init__(self, packed: npt.NDArray[np.uint8], number: int) -> None:
        """Count the bits of each word.

        Args:
            packed: Eight bits a byte, the first bit the lowest, uint8 [(number + 7) // 8].
            number: How many bits there are.
        """
        words = np.zeros(-(-number // 32) * 4, np.uint8)
        words[: len(packed)] = packed
        self._words = words.view("<u4").astype(np.uint32, copy=False)
        self._before = np.zeros(len(self._words), np.int32)
        np.cumsum(popcount(self._words[:-1]), dtype=np.int32, out=self._before[1:])

    def at(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Tell whether bits are set.

        Args:
            index: Which bits, int64 [queries].

        Returns:
            bool [queries].
        """
        set_: npt.NDArray[np.bool_] = (self._words.take(index >> 5) & _own(index)) != 0
        return set_

    def rank(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Count the bits that are set before others.

        Args:
            index: Which others, int64 [queries].

        Returns:
            int32 [queries].
        """
        place = index >> 5
        below = self._words.take(place) & (_own(index) - np.uint32(1))
        rank: npt.NDArray[np.int32] = self._before.take(place) + popcount(below)
        return rank


def _own(index: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    return np.uint32(1) << (index & 31).astype(np.uint32)


CODES = 16
"""Different codes; a table for them has so many values."""


def packed_codes(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Pack two codes a byte, the first one in the low bits.

    Args:
        codes: Numbers below CODES, uint8 [codes].

    Returns:
        uint8 [(codes + 1) // 2].
    """
    packed = np.zeros(packed_bytes(len(codes)) * 2, np.uint8)
    packed[: len(codes)] = codes
    return packed[::2] | (packed[1::2] << np.uint8(4))


def take_codes(packed: npt.NDArray[np.uint8], index: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return codes by their indices.

    Args:
        packed: What `packed_codes` returned.
        index: Which codes, integers [queries].

    Returns:
        uint8 [queries].
    """
    codes: npt.NDArray[np.uint8] = packed.take(index >> 1)
    codes >>= ((index & 1) << 2).astype(np.uint8)
    codes &= np.uint8(CODES - 1)
    return codes


def packed_bytes(number: int) -> int:
    """Return the length in bytes of some number of packed codes."""
    return (number + 1) // 2
