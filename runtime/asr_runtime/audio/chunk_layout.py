"""AIFF, AU, W64 and CAF: how much audio the header promises, and how much is there.

libsndfile reads one that was cut off as if it were just shorter, and of files that were joined the
first one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from asr_runtime.audio.byte_view import file_size, read_at
from asr_runtime.audio.file_kind import chunked_kind
from asr_runtime.audio.layout import Layout, Recording, is_placeholder
from asr_runtime.audio.wav_format import read_wav_format

_W64_TAIL = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # of a sample, by its coding
_PADDING = 4096
"""Bytes of zeros behind the audio that need no remark."""


@dataclass(frozen=True)
class _Part:
    """One recording: where it and its samples end, if its header says so, and what is wrong.

    Attributes:
        stop: The byte behind it.
        problem: What is missing of it, for people; or None.
        remark: What is odd about it, for people; or None.
    """

    stop: int
    problem: str | None = None
    remark: str | None = None


def read_chunked_layout(file: BinaryIO, begin: int = 0) -> Layout:
    """Read the headers of all recordings in a seekable AIFF, AU, W64 or CAF file.

    Args:
        file: the file.
        begin: where the first recording begins, a byte's index.
    """
    size = file_size(file)
    recordings: list[Recording] = []
    remarks: list[str] = []
    position = begin
    while True:
        kind = chunked_kind(read_at(file, position, 16))
        assert kind is not None
        part = _READERS[kind](file, position, size)
        recordings.append(Recording(((position, min(part.stop, size)),)))
        if part.remark is not None:
            remarks.append(part.remark)
        if part.problem is not None:
            return Layout(tuple(recordings), f"the {kind} header {part.problem}", tuple(remarks))
        if part.stop >= size:
            return Layout(tuple(recordings), None, tuple(remarks))
        # Some writers leave out the padding at the end.
        stops = range(part.stop, max(part.stop - 8, position), -1)
        following = next((at for at in stops if chunked_kind(read_at(file, at, 16)) == kind), None)
        if following is None:
            problem = _rest(file, kind, part.stop, size)
            return Layout(tuple(recordings), problem, tuple(remarks))
        recordings[-1] = Recording(((position, following),))
        position = following


def _rest(file: BinaryIO, kind: str, position: int, size: int) -> str | None:
    """Return what is wrong with what follows the end that the header states."""
    count = size - position
    rest = read_at(file, position, _PADDING)
    if rest.startswith((b"TAG", b"ID3")) or (count <= _PADDING and not rest.strip(b"\0")):
        return None
    return f"the {kind} header promises {count} bytes less than there are"


def _promises(declared: int, available: int) -> str:
    return f"promises {declared} bytes of audio and {available} are there"


def _aiff(file: BinaryIO, begin: int, size: int) -> _Part:
    declared = struct.unpack(">I", read_at(file, begin + 4, 4))[0]
    stop = begin + 8 + declared + declared % 2
    position = begin + 12
    frames = frame_bytes = None
    while len(head := read_at(file, position, 8)) == 8 and position < max(stop, begin + 13):
        name, length = struct.unpack(">4sI", head)
        content = position + 8
        if name == b"COMM":
            common = read_at(file, content, 22)
            if len(common) >= 18:
                channels, frames, bits = struct.unpack(">hIh", common[:8])
                coding = common[18:22] if length >= 22 else b"NONE"
                plain = coding in (b"NONE", b"twos", b"sowt", b"raw ", b"in24", b"in32")
                frame_bytes = channels * ((bits + 7) // 8) if plain else None
        if name == b"SSND":
            offset = int.from_bytes(read_at(file, content, 4), "big")
            if length > size - content and (not is_placeholder(length) or offset > size - content):
                return _Part(size, _promises(length, size - content))
            if length > size - content:
                return _Part(size)
            audio = length - 8 - offset
            if offset and audio < 0:
                return _Part(size, f"says that the audio begins {-audio} bytes behind its end")
            if frames and frame_bytes and frames * frame_bytes > audio:
                return _Part(size, _promises(frames * frame_bytes, audio))
            if frames is not None and frame_bytes and frames:
                less = length - 8 - frames * frame_bytes
                if less > max(frame_bytes, _PADDING):
                    return _Part(size, f"promises {less} bytes less than there are")
            if length <= 8 and size - content > 8 and not frames:
                return _Part(size, f"promises no audio and {size - content - 8} bytes follow")
        position = content + length + length % 2
    if position > size + 1:
        return _Part(size, "promises more chunks than there are")
    # A size that a recorder did not fill in says nothing.
    return _Part(stop if position <= stop else max(position, stop))


def _au(file: BinaryIO, begin: int, size: int) -> _Part:
    head = read_at(file, begin, 24)
    if len(head) < 24:
        return _Part(size, "ends before the audio")
    order = ">" if head[:4] == b".snd" else "<"
    offset, declared = struct.unpack(order + "II", head[4:12])
    available = size - begin - offset
    if declared == 0xFFFFFFFF:
        return _Part(size)
    if declared > available:
        return _Part(size, _promises(declared, max(available, 0)))
    coding, channels = struct.unpack(order + "I4xI", head[12:24])
    frame = _AU_BYTES.get(coding, 1) * channels
    if frame and declared % frame:
        return _Part(size, f"contradicts itself: {declared} bytes for samples of {frame} bytes")
    return _Part(begin + offset + declared)


def _w64(file: BinaryIO, begin: int, size: int) -> _Part:
    position = begin + 40
    total = struct.unpack("<Q", read_at(file, begin + 16, 8).ljust(8, b"\0"))[0]
    stop = begin + (total + 7 & ~7)
    found, remark = False, None
    while len(head := read_at(file, position, 24)) == 24 and head[4:16] == _W64_TAIL:
        length = struct.unpack("<Q", head[16:])[0]
        if head[:4] == b"fmt ":
            content = read_at(file, position + 24, min(length - 24, 40)) if length > 24 else b""
            remark = read_wav_format(content, "<", "copy or record it again").remark
        if head[:4] == b"data":
            found = True
            if length >= 1 << 62 or length < 24:
                return _Part(size, None, remark)
            if length > size - position:
                return _Part(size, _promises(length - 24, size - position - 24))
        position += max(length + 7 & ~7, 24)
    end = max(position, stop)
    return _Part(end, None, remark) if found else _Part(size, "ends before the audio")


def _caf(file: BinaryIO, begin: int, size: int) -> _Part:
    position = begin + 8
    found = False
    while len(head := read_at(file, position, 12)) == 12:
        name, length = struct.unpack(">4sq", head)
        if not name.isascii() or name == b"caff" or length < -1:
            break
        content = position + 12
        if name == b"data":
            found = True
            if length == -1:
                return _Part(size)
        if length > size - content:
            return _Part(size, _promises(length, size - content))
        position = content + max(length, 0)
    return _Part(position) if found else _Part(size, "ends before the audio")


_READERS: dict[str, Callable[[BinaryIO, int, int], _Part]] = {
    "AIFF": _aiff,
    "AU": _au,
    "W64": _w64,
    "CAF": _caf,
}
