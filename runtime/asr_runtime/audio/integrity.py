"""Is an audio file complete? libsndfile reads one that was cut off as if it were just shorter.

A lost end would be lost speech without a word, so what each container says about its own length is
compared with the bytes that are there. Covered: WAV (also RIFX and RF64), Ogg (Vorbis, Opus, FLAC),
and MP3 whose first frame is a Xing/Info header, to within two frames. FLAC is checked when it is
opened and decoded (see `audio_reader`). An MP3 without that header, AIFF, AU, CAF and W64 do not
say or are not checked: their lost end goes unnoticed.
"""

import os
import struct
from typing import BinaryIO

from asr_runtime.audio.wav_header import find_data_chunk, is_wav

_MP3_SLACK_FRAMES = 2
"""Taggers disagree about counting the header's own frame and the padding."""


def find_truncation(file: BinaryIO) -> str | None:
    """What is missing from a seekable file that starts with its header, or None. Rewinds it."""
    magic = file.read(4)
    file.seek(0)
    try:
        if is_wav(file):
            return _find_wav_truncation(file)
        if magic == b"OggS":
            return _find_ogg_truncation(file)
        if magic[:3] == b"ID3" or (magic[:1] == b"\xff" and magic[1:2] >= b"\xe0"):
            return _find_mp3_truncation(file)
        return None
    finally:
        file.seek(0)


def _find_wav_truncation(file: BinaryIO) -> str | None:
    chunk = find_data_chunk(file)
    if chunk is None:
        return "the WAV header ends before the audio"
    if chunk.is_placeholder or chunk.available >= chunk.declared:
        return None
    return (
        f"the WAV header promises {chunk.declared} bytes of audio and {chunk.available} are there"
    )


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
