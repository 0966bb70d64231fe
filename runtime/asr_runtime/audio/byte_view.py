"""Parts of a file, read as if they were a file of their own."""

from __future__ import annotations

import errno
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

Extent = tuple[int, int]
"""First byte of a part of a file, and the first one behind it."""


class ByteView:
    """A readable, seekable view of some bytes and of parts of a file, one behind the other.

    Decoders get what they understand and nothing else: one of several recordings that a file holds,
    without the tags around it, behind a header with the right size. The view has no name, because
    soundfile would guess a format from a name that ends in ``.raw``.

    Args:
        file: the seekable file with the parts.
        extents: the parts, in their order.
        prefix: what comes before them.
    """

    def __init__(self, file: BinaryIO, extents: Sequence[Extent], prefix: bytes = b"") -> None:
        self._file = file
        self._prefix = prefix
        self._extents = extents
        lengths = (stop - start for start, stop in extents)
        # Where each part begins within the view, and where the last one ends.
        self._begins = list(accumulate(lengths, initial=len(prefix)))
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, or all that are left if it is negative; b"" at the end."""
        if size < 0:
            size = max(self._begins[-1] - self._position, 0)
        result = self._prefix[self._position : self._position + size]
        self._position += len(result)
        while len(result) < size and self._position < self._begins[-1]:
            index = bisect_right(self._begins, self._position) - 1
            start, stop = self._extents[index]
            start += self._position - self._begins[index]
            self._file.seek(start)
            part = self._file.read(min(stop - start, size - len(result)))
            if not part:
                break
            self._position += len(part)
            result += part
        return result

    def read1(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, as `read` does."""
        return self.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte and return its index; to where the view stands if there is no such place.

        A damaged size sends libsndfile to impossible places. It finds out by where it then is; an
        error would be printed by what calls us.
        """
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._begins[-1]
        if 0 <= offset < 1 << 63:
            self._position = offset
        return self._position

    def tell(self) -> int:
        """Return the index of the next byte."""
        return self._position


def file_size(file: BinaryIO) -> int:
    """Return the number of bytes of a seekable file, which then stands where it stood."""
    position = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(position)
    return end


def read_at(file: BinaryIO, position: int, size: int) -> bytes:
    """Return the ``size`` bytes at a place of a seekable file, fewer at its end."""
    try:
        file.seek(position)
    except (OSError, OverflowError, ValueError) as error:
        # A damaged size may name a place that no file has.
        if isinstance(error, OSError) and error.errno not in (errno.EINVAL, errno.EOVERFLOW):
            raise
        return b""
    return file.read(size)
