"""Is an audio file complete? libsndfile reads one that was cut off as if it were just shorter.

A lost end would be lost speech without a word, so what each container says about its own length is
compared with the bytes that are there. Covered: WAV (also RIFX and RF64), Ogg (Vorbis, Opus, FLAC),
and MP3 whose first frame is a Xing/Info header, to within two frames. FLAC is checked while it is
decoded (see `audio`). An MP3 without that header, AIFF, AU, CAF and W64 do not say or are not
checked: their lost end goes unnoticed.
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

# Writers that cannot seek back leave a size that only means "until the end": ffmpeg and most others
# 0xFFFFFFFF or 0, arecord 0x80000000, SoX 0x7FFFF000.
SMALLEST_PLACEHOLDER = 0x7FFFF000

_MP3_SLACK_FRAMES = 2
"""Taggers disagree about counting the header's own frame and the padding."""


def find_truncation(file: BinaryIO) -> str | None:
    """What is missing from a seekable file that starts with its header, or None. Rewinds it."""
    magic = file.read(4)
    file.seek(0)
    try:
        if _is_wav(file):
            return _find_wav_truncation(file)
        if magic == b"OggS":
            return _find_ogg_truncation(file)
        if magic[:3] == b"ID3" or (magic[:1] == b"\xff" and magic[1:2] >= b"\xe0"):
            return _find_mp3_truncation(file)
        return None
    finally:
        file.seek(0)


def with_wav_size(file: BinaryIO) -> BinaryIO:
    """The file itself, or a copy with the size filled in where a WAV writer left it 0.

    A recorder that was killed or wrote to a pipe leaves 0, and libsndfile then finds no audio.
    """
    chunk = _find_data_chunk(file) if _is_wav(file) else None
    file.seek(0)
    if chunk is None or chunk.declared != 0 or not chunk.is_placeholder:
        return file
    content = bytearray(file.read())
    size = min(chunk.available, 0xFFFFFFFF)
    struct.pack_into(">I" if content[:4] == b"RIFX" else "<I", content, chunk.start - 4, size)
    return io.BytesIO(content)


def _is_wav(file: BinaryIO) -> bool:
    start = file.read(12)
    file.seek(0)
    return start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:] == b"WAVE"


@dataclass(frozen=True)
class _DataChunk:
    """Where a WAV's samples start, how many bytes of them it promises and how many are there."""

    start: int
    declared: int
    available: int
    is_placeholder: bool


def _find_wav_truncation(file: BinaryIO) -> str | None:
    chunk = _find_data_chunk(file)
    if chunk is None:
        return "the WAV header ends before the audio"
    if chunk.is_placeholder or chunk.available >= chunk.declared:
        return None
    return (
        f"the WAV header promises {chunk.declared} bytes of audio and {chunk.available} are there"
    )


def _find_data_chunk(file: BinaryIO) -> _DataChunk | None:
    end = _size(file)
    form = file.read(12)[:4]
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
            if long_size is not None and size == 0xFFFFFFFF:
                size, placeholder = long_size, False
            else:
                placeholder = (size == 0 and not _only_chunks(file, header, end)) or (
                    size >= SMALLEST_PLACEHOLDER
                )
            return _DataChunk(start, size, end - start, placeholder)
        file.seek(start + size + size % 2)  # chunks are padded to an even length
    return None


def _only_chunks(file: BinaryIO, header: struct.Struct, end: int) -> bool:
    """Is what follows an empty data chunk nothing, or further chunks up to exactly the end?"""
    position = file.tell()
    while position < end and len(raw := file.read(header.size)) == header.size:
        size = header.unpack(raw)[1]
        position += header.size + size + size % 2
        file.seek(position)
    return position in (end, end + 1)


def _find_ogg_truncation(file: BinaryIO) -> str | None:
    end = _size(file)
    position = 0
    last_page_ends_stream = False
    while position < end:
        file.seek(position)
        page = file.read(27)
        sizes = file.read(page[26]) if len(page) == 27 else b""
        if len(page) < 27 or len(sizes) < page[26]:
            return "the last Ogg page is cut off"
        if page[:4] != b"OggS":
            return f"there is no Ogg page at byte {position} where one should be"
        position += 27 + len(sizes) + sum(sizes)
        last_page_ends_stream = bool(page[5] & 4)
    if position > end:
        return "the last Ogg page is cut off"
    return None if last_page_ends_stream else "the Ogg stream has no end mark"


def _find_mp3_truncation(file: BinaryIO) -> str | None:
    end = _size(file)
    start = 0
    tag = file.read(10)
    if tag[:3] == b"ID3" and len(tag) == 10:
        # Four times 7 bits; the footer that a flag announces is not counted in them.
        start = 10 + sum(byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
        start += 10 if tag[5] & 0x10 else 0
    file.seek(start)
    # Frame header, at most 32 bytes of side information, a checksum, then the tag's 12 bytes.
    frame = file.read(4 + 32 + 2 + 12)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if frame[:1] != b"\xff" or at < 0 or len(frame) < at + 16:
        return None
    flags, frames, declared = struct.unpack(">III", frame[at + 4 : at + 16])
    # The second number is the byte count only if the frame count is there too.
    if flags & 3 != 3 or frames == 0:
        return None
    if end - start >= declared * (1 - _MP3_SLACK_FRAMES / frames):
        return None
    return f"the MP3 header promises {declared} bytes of audio and {end - start} are there"


def _size(file: BinaryIO) -> int:
    position = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(position)
    return end
