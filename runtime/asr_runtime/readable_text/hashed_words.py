"""A set of many words in about a byte each, which holds one other word in sixty-four by mistake.

The checksums of the words, scaled to 64 times their number and sorted, are stored as the steps from
each to the next (a Golomb-coded set, as in Putze, Sanders and Singler, "Cache-, hash- and
space-efficient Bloom filters", 2007, but with whole bytes for speed).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from zlib import crc32

import numpy as np
import numpy.typing as npt

_SPACE_A_WORD = 64
_LONGEST_STEP = 255
"""A byte of this value is a part of a longer step."""


class HashedWords:
    """Tells whether a word is in a set.

    Args:
        hashes: Sorted scaled checksums without repetitions [words], uint32.
        space: They are less than this.
    """

    def __init__(self, hashes: npt.NDArray[np.uint32], space: int) -> None:
        self._hashes = hashes
        self._space = space

    @classmethod
    def of(cls, words: Iterable[str]) -> HashedWords:
        """Make a set of some words."""
        checksums = [crc32(word.encode()) for word in words]
        space = _SPACE_A_WORD * len(checksums)
        hashes = sorted({checksum * space >> 32 for checksum in checksums})
        return cls(np.array(hashes, np.uint32), space)

    @classmethod
    def from_text(cls, text: str) -> HashedWords:
        """Read what `to_text` wrote.

        Args:
            text: ASCII.

        Returns:
            The set.

        Raises:
            ValueError: It is no such text.
        """
        if not text:
            return cls.of(())
        number, _, packed = text.partition(" ")
        space = int(number)
        steps = np.frombuffer(base64.b64decode(packed, validate=True), np.uint8)
        sums = steps.cumsum(dtype=np.uint64)
        if not 0 < space <= 1 << 32 or not len(sums) or sums[-1] >= space:
            raise ValueError("the set of words is damaged")
        return cls(sums[steps != _LONGEST_STEP].astype(np.uint32), space)

    def to_text(self) -> str:
        """Return the set as ASCII, four thirds of a byte a word; an empty string for no words."""
        if not len(self):
            return ""
        steps = bytearray()
        for step in np.diff(self._hashes, prepend=np.uint32(0)).tolist():
            longest, rest = divmod(step, _LONGEST_STEP)
            steps += b"\xff" * longest + bytes((rest,))
        return f"{self._space} {base64.b64encode(steps).decode('ascii')}"

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, word: str) -> bool:
        hashed = crc32(word.encode()) * self._space >> 32
        at = int(self._hashes.searchsorted(np.uint32(hashed)))
        return at < len(self._hashes) and int(self._hashes[at]) == hashed
