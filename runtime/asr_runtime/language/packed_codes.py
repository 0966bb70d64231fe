"""Codes of 4 bits."""

from typing import Any

import numpy as np
import numpy.typing as npt

CODES = 16
"""Different codes; a table for them has so many values."""


def packed_codes(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Two codes a byte, the first one in the low bits."""
    packed = np.zeros(packed_bytes(len(codes)) * 2, np.uint8)
    packed[: len(codes)] = codes
    return packed[::2] | (packed[1::2] << np.uint8(4))


def take_codes(packed: npt.NDArray[np.uint8], index: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The codes at some places."""
    codes: npt.NDArray[np.uint8] = packed.take(index >> 1)
    codes >>= ((index & 1) << 2).astype(np.uint8)
    codes &= np.uint8(CODES - 1)
    return codes


def packed_bytes(number: int) -> int:
    """Length of some packed codes."""
    return (number + 1) // 2
