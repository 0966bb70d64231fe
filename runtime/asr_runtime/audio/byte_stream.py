"""Bytes of a pipe as they come."""

from typing import Protocol

# Little, for samples that are no audio spoil all that came in the same piece.
_READ_BYTES = 1 << 12


class Readable(Protocol):
    """A binary stream, such as ``sys.stdin.buffer``."""

    def read1(self, size: int = ..., /) -> bytes:
        """At most `size` bytes, of one read; none at the end."""


class ByteStream:
    """A binary stream from which one can take what is there, or an exact number of bytes."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._returned = b""

    def some(self, most: int = _READ_BYTES) -> bytes:
        """At most `most` bytes: waits until one is there, not until all are. None at the end."""
        if not self._returned:
            return self._file.read1(min(most, _READ_BYTES))
        data, self._returned = self._returned[:most], self._returned[most:]
        return data

    def exactly(self, count: int) -> bytes:
        """`count` bytes; fewer at the end only."""
        data = b""
        while len(data) < count and (piece := self.some(count - len(data))):
            data += piece
        return data

    def skip(self, count: int) -> None:
        """Leave out `count` bytes, or all there are until the end."""
        while count > 0 and (piece := self.some(count)):
            count -= len(piece)

    def put_back(self, data: bytes) -> None:
        """Have `data` come again."""
        self._returned = data + self._returned
