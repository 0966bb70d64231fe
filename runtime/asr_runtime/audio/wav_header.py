"""The header of a WAV file (also RIFX and RF64), and how much audio it promises."""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, cast

# Writers that cannot seek back leave a size that only means "until the end": ffmpeg and most others
# 0xFFFFFFFF or 0, arecord 0x80000000, SoX 0x7FFFF000.
_PLACEHOLDERS = (0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF)
SMALLEST_PLACEHOLDER = 0x7FFFF000
_LARGEST_SIZE = 0xFFFFFFFF

_START = 12  # bytes: RIFF, a size and WAVE


@dataclass(frozen=True)
class DataChunk:
    """Where a WAV's samples start, how many bytes of them it promises and how many are there."""

    start: int
    declared: int
    available: int
    is_placeholder: bool


def is_wav(file: BinaryIO) -> bool:
    """Does a file that stands at its beginning start as a WAV does? Rewinds it."""
    start = file.read(_START)
    file.seek(0)
    return start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:] == b"WAVE"


def find_data_chunk(file: BinaryIO) -> DataChunk | None:
    """The audio of a WAV that stands at its beginning, or None if the file ends before it."""
    end = _size(file)
    form = file.read(_START)[:4]
    header = struct.Struct(">4sI" if form == b"RIFX" else "<4sI")
    long_size: int | None = None
    while len(raw := file.read(header.size)) == header.size:
        name, size = header.unpack(raw)
        start = file.tell()
        if name == b"ds64" and form == b"RF64":
            # RIFF size, then the data chunk's, 64 bits each: the 32-bit ones only point here.
            fields = file.read(16)
            long_size = struct.unpack("<Q", fields[8:])[0] if len(fields) == 16 else None
        if name == b"data":
            if long_size is not None and size == _LARGEST_SIZE:
                size, placeholder = long_size, False
            else:
                placeholder = (size == 0 and not _only_chunks(file, header, end)) or (
                    size >= SMALLEST_PLACEHOLDER
                )
            return DataChunk(start, size, end - start, placeholder)
        file.seek(start + size + size % 2)  # chunks are padded to an even length
    return None


def with_wav_size(file: BinaryIO) -> BinaryIO:
    """The file itself, or a view with the size filled in where a WAV writer left it open.

    libsndfile takes a placeholder at its word: it finds no audio after a 0 (a recorder that was
    killed or wrote to a pipe), and of a longer file no more than the placeholder's 2 or 4 GB.
    """
    chunk = find_data_chunk(file) if is_wav(file) else None
    file.seek(0)
    if chunk is None or not chunk.is_placeholder or chunk.declared not in _PLACEHOLDERS:
        return file
    if chunk.available <= chunk.declared:
        return file
    header = file.read(chunk.start)
    file.seek(0)
    if chunk.available <= _LARGEST_SIZE:
        size = struct.pack(">I" if header[:4] == b"RIFX" else "<I", chunk.available)
        return cast(BinaryIO, _NewHeader(file, header[:-4] + size, chunk.start))
    if header[:4] != b"RIFF":
        return file  # big-endian, and beyond what its sizes can say
    long_sizes = struct.pack(
        "<4sIQQQI", b"ds64", 28, len(header) + 28 + chunk.available, chunk.available, 0, 0
    )
    full = struct.pack("<I", _LARGEST_SIZE)
    start = b"RF64" + full + b"WAVE" + long_sizes + header[_START:-4] + full
    return cast(BinaryIO, _NewHeader(file, start, chunk.start))


class _NewHeader:
    """A view of a file whose first `old_size` bytes are others."""

    def __init__(self, file: BinaryIO, header: bytes, old_size: int) -> None:
        self._file = file
        self._header = header
        self._moved = len(header) - old_size
        self._position = 0

    def read(self, size: int) -> bytes:
        begin = self._header[self._position : self._position + size]
        self._position += len(begin)
        if len(begin) < size:
            self._file.seek(self._position - self._moved)
            rest = self._file.read(size - len(begin))
            self._position += len(rest)
            begin += rest
        return begin

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._file.seek(0, os.SEEK_END) + self._moved
        self._position = max(offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position


def _only_chunks(file: BinaryIO, header: struct.Struct, end: int) -> bool:
    """Is what follows an empty data chunk nothing, or further chunks up to exactly the end?"""
    position = file.tell()
    while position < end and len(raw := file.read(header.size)) == header.size:
        name, size = header.unpack(raw)
        if not all(0x20 <= letter <= 0x7E for letter in name):
            return False  # audio; hours of silence would look like empty chunks
        position += header.size + size + size % 2
        file.seek(position)
    return position in (end, end + 1)


def _size(file: BinaryIO) -> int:
    position = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(position)
    return end
