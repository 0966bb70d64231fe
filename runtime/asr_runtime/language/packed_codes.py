"""Small numbers of a fixed number of bits, one after another."""

from typing import Any

import numpy as np
import numpy.typing as npt

_BYTE = np.uint16(8)


class PackedCodes:
    """Codes of `bits` bits each, 1 to 8.

    packed: uint8, the first code in the lowest bits, and two bytes more at the end.
    number: of the codes.

    Raises ValueError unless there are as many.
    """

    def __init__(self, packed: npt.NDArray[np.uint8], number: int, bits: int) -> None:
        if not 1 <= bits <= 8 or len(packed) != packed_bytes(number, bits):
            raise ValueError("codes are missing")
        self._packed = packed
        self._bits = bits
        self._mask = np.uint16((1 << bits) - 1)

    def take(self, index: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """The codes at some places."""
        place = index * self._bits
        byte = place >> 3
        codes = self._packed.take(byte + 1).astype(np.uint16)
        codes <<= _BYTE
        codes |= self._packed.take(byte)
        codes >>= (place & 7).astype(np.uint16)
        codes &= self._mask
        return codes


def packed_bytes(number: int, bits: int) -> int:
    """Length of some packed codes; reading the one after the last stays inside."""
    return -(-number * bits // 8) + 2
