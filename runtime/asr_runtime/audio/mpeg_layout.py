"""The frames of an MP3 file: its recordings, tags and junk around them, and damage between them.

Nothing in MP3 says how long a file is but a frame that most encoders put first (Xing's or LAME's,
or VBRI), so all frames are walked. Decoders believe the first such frame of a file, and stop where
it says even if a second file was appended.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from asr_runtime.audio.byte_view import file_size
from asr_runtime.audio.layout import Layout, Recording, id3_size

SLACK_FRAMES = 2
"""Taggers disagree about counting the header's own frame and the padding."""

_LEFT_OUT = "they were left out"
_SEARCHED = 1 << 16  # bytes of junk before the first frame
_SURE = 4  # neighbouring frames that are no coincidence
_READ_BYTES = 1 << 20
_LARGEST_FRAME = 2881 + 4
_CONTEXT = 1 << 16  # bytes that a decision looks ahead

_BIT_RATES = {  # kbit/s, by version 1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True)
class FrameHeader:
    """The first four bytes of a frame.

    Attributes:
        size: bytes of the frame, these included.
        samples: samples of each channel.
        sample_rate: Hz.
        tag_at: where the frame would hold a Xing or Info tag.
        kind: what all frames of a recording have in common.
    """

    size: int
    samples: int
    sample_rate: int
    tag_at: int
    kind: tuple[int, ...]


def parse_frame_header(head: bytes) -> FrameHeader | None:
    """Return what four bytes say as a frame's header, or None if they are none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate_index, bit_rate_index = head[2] >> 2 & 3, head[2] >> 4
    # Layer 4 and version 1 are reserved. A free bit rate (0) does not say where the frame ends.
    if version == 1 or layer == 4 or rate_index == 3 or not 0 < bit_rate_index < 15:
        return None
    first = version == 3
    sample_rate = (44_100, 48_000, 32_000)[rate_index] >> (0 if first else 2 - version // 2)
    bit_rate = 1000 * _BIT_RATES[first, layer][bit_rate_index - 1]
    padding = head[2] >> 1 & 1
    mono = head[3] >> 6 == 3
    if layer == 1:
        samples, size = 384, (12 * bit_rate // sample_rate + padding) * 4
    else:
        samples = 1152 if first or layer == 2 else 576
        size = samples // 8 * bit_rate // sample_rate + padding
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return FrameHeader(size, samples, sample_rate, 4 + side, (version, layer, rate_index, mono))


def find_first_frame(data: bytes, *, is_whole: bool = False) -> int | None:
    """Return where in ``data`` frames begin that follow each other, or None.

    Args:
        data: the beginning of a file.
        is_whole: whether the file ends where ``data`` does; a few frames are then enough.
    """
    at = data.find(b"\xff")
    while at >= 0:
        if _chain(data, at, is_whole=is_whole):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _chain(data: bytes, at: int, *, is_whole: bool) -> bool:
    """Whether frames of one kind follow each other from ``at`` on."""
    first = parse_frame_header(data[at : at + 4])
    count = 0
    while (header := parse_frame_header(data[at : at + 4])) is not None and first is not None:
        if header.kind[:3] != first.kind[:3]:
            return False
        count += 1
        at += header.size
        if count == _SURE:
            return True
    return is_whole and count > 1 and at >= len(data)


@dataclass
class _Run:
    """Frames of one recording."""

    header: FrameHeader
    extents: list[tuple[int, int]]
    frames: int = 0
    declared: int | None = None
    first_size: int = 0


def read_mpeg_layout(file: BinaryIO) -> Layout | None:
    """Walk the frames of a seekable file.

    Returns:
        Every recording that the file holds, as frames alone. None if no frames are found.
    """
    return _Walk(file).layout()


class _Walk:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file_size(file)
        self._data = b""
        self._base = 0
        self._runs: list[_Run] = []
        self._problem: str | None = None
        self._remarks: list[str] = []
        self._headers: dict[bytes, FrameHeader | None] = {}

    def layout(self) -> Layout | None:
        position = self._first_frame()
        if position is None:
            return None
        while position < self._size:
            end = self._frames(position)
            position = self._size if end >= self._size else self._behind(end)
        recordings = tuple(map(self._recording, self._runs))
        return Layout(recordings, self._problem, tuple(self._remarks))

    def _first_frame(self) -> int | None:
        start = self._view(0, 10)
        tag = id3_size(start)
        # A tag may say that it is larger or smaller than it is.
        for begin in [tag, 10] if tag else [0]:
            data = self._view(begin, _SEARCHED)
            at = find_first_frame(data, is_whole=begin + len(data) == self._size)
            if at is not None and (begin == 10 or at == 0 or not data[:at].strip(b"\0")):
                return begin + at
        data = self._view(tag, _SEARCHED)
        at = find_first_frame(data, is_whole=tag + len(data) == self._size)
        if at is None:
            return None
        begun, first = parse_frame_header(data[:4]), parse_frame_header(data[at : at + 4])
        if begun is not None and first is not None and begun.kind[:3] == first.kind[:3]:
            return tag  # a frame of this kind, behind which something is missing
        if data[:at].strip(b"\0"):
            self._remarks.append(f"it begins with {at} bytes that are no MP3 frames; {_LEFT_OUT}")
        return tag + at

    def _view(self, position: int, size: int) -> bytes:
        """Return bytes of the file, read in large blocks."""
        if not self._base <= position <= position + size <= self._base + len(self._data):
            self._file.seek(min(position, self._size))
            self._base = position
            self._data = self._file.read(max(_READ_BYTES, size))
        return self._data[position - self._base : position - self._base + size]

    def _frames(self, position: int) -> int:
        """Walk frames that follow each other, and return where they end."""
        run: _Run | None = None
        headers = self._headers
        while True:
            head = self._view(position, 4)
            header = headers.get(head)
            if header is None:
                header = headers[head] = parse_frame_header(head)
                if len(headers) > 4096:
                    headers.clear()  # of frames there are few; these come from damage
            if header is None:
                return position
            if position + header.size > self._size:
                if not self._is_complete():
                    self._problem = self._problem or "the last MP3 frame is cut off"
                return self._size
            tag = self._view(position + header.tag_at, 4)
            is_tag = tag in (b"Xing", b"Info") or self._view(position + 36, 4) == b"VBRI"
            if run is None and self._runs and header.kind == self._runs[-1].header.kind:
                run = self._runs[-1]
            if run is None or is_tag or header.kind != run.header.kind:
                # One frame of another kind amid others is damage.
                if self._runs and not is_tag and not self._goes_on(position, header):
                    return position
                run = _Run(header, [])
                self._runs.append(run)
                if is_tag:
                    run.declared = self._declared(position, header, tag)
                    run.first_size = header.size
            run.frames += 1
            end = position + header.size
            if run.extents and run.extents[-1][1] == position:
                run.extents[-1] = (run.extents[-1][0], end)
            else:
                run.extents.append((position, end))
            position = end

    def _goes_on(self, position: int, header: FrameHeader) -> bool:
        data = self._view(position, _SURE * _LARGEST_FRAME)
        is_whole = position + len(data) == self._size
        following = parse_frame_header(data[header.size : header.size + 4])
        alike = following is None or following.kind == header.kind
        return alike and _chain(data, 0, is_whole=is_whole)

    def _declared(self, position: int, header: FrameHeader, tag: bytes) -> int | None:
        """Return the number of frames that a tag promises, or None."""
        if tag in (b"Xing", b"Info"):
            flags, frames = struct.unpack(">II", self._view(position + header.tag_at + 4, 8))
            return frames if flags & 1 and frames else None
        frames = struct.unpack(">I", self._view(position + 36 + 14, 4))[0]
        return frames or None

    def _is_complete(self) -> bool:
        """Whether all frames of the last recording are there, as far as it says how many."""
        run = self._runs[-1] if self._runs else None
        return run is not None and run.declared is not None and run.frames >= run.declared

    def _behind(self, position: int) -> int:
        """Judge what follows the frames, and return where more of them begin."""
        data = self._view(position, _CONTEXT)
        tag = _tag_size(data)
        if tag:
            return min(position + tag, self._size)
        begin = position + 1  # what begins here was refused
        while begin < self._size:
            data = self._view(begin, _CONTEXT)
            at = find_first_frame(data, is_whole=begin + len(data) == self._size)
            if at is not None:
                begin += at
                break
            begin += max(len(data) - _SURE * _LARGEST_FRAME, 1)
            if len(data) < _CONTEXT:
                begin = self._size
        run = self._runs[-1]
        where = f"{begin - position} bytes at {self._seconds():.2f} s that are no MP3 frames"
        if self._is_complete() or begin >= self._size:
            junk = self._view(position, min(begin - position, _CONTEXT))
            if not self._is_complete() and begin < self._size:
                self._problem = self._problem or f"it holds {where}"
            elif run.declared is None and not junk.startswith((b"TAG", b"APETAGEX", b"LYRICS")):
                self._remarks.append(f"it ends with {where}; {_LEFT_OUT}")
            return begin
        self._problem = self._problem or f"it holds {where}"
        return begin

    def _seconds(self) -> float:
        return sum(run.frames * run.header.samples / run.header.sample_rate for run in self._runs)

    def _recording(self, run: _Run) -> Recording:
        header, extents = run.header, run.extents
        prefix = b""
        frames = run.frames - (1 if run.first_size else 0)
        start = extents[0][0]
        if run.declared is not None and frames < run.declared - SLACK_FRAMES:
            self._problem = self._problem or (
                f"the MP3 header promises {run.declared} frames and {frames} are there"
            )
        if run.first_size and (run.declared is None or abs(frames - run.declared) > SLACK_FRAMES):
            # The decoder stops where the tag says.
            prefix = _with_frames(self._view(start, run.first_size), header, frames)
            extents = [(start + run.first_size, extents[0][1]), *extents[1:]]
        elif not run.first_size and header.kind[1] == 3:
            # Without a tag it guesses from the first frame's size, and stops where that says.
            prefix = _tag_frame(self._view(start, 4), frames, sum(b - a for a, b in extents))
        samples = frames * header.samples
        slack = (SLACK_FRAMES + 4) * header.samples
        return Recording(tuple(extents), prefix, samples, slack, header.sample_rate)


def _with_frames(frame: bytes, header: FrameHeader, frames: int) -> bytes:
    """Return a frame that has a Xing tag, or that of VBRI, with another number of frames."""
    at = header.tag_at
    if frame[at : at + 4] not in (b"Xing", b"Info"):
        return frame[:50] + struct.pack(">I", frames) + frame[54:]
    (flags,) = struct.unpack(">I", frame[at + 4 : at + 8])
    if not flags & 1:
        return frame
    return frame[: at + 8] + struct.pack(">I", frames) + frame[at + 12 :]


def _tag_frame(head: bytes, frames: int, size: int) -> bytes:
    """Return a silent frame with a Xing tag, of the kind of the frame that `head` begins."""
    for bit_rate_index in range(1, 15):
        # Without a checksum and padding.
        new = bytes((head[0], head[1] | 1, bit_rate_index << 4 | head[2] & 0x0C, head[3]))
        header = parse_frame_header(new)
        if header is not None and header.size >= header.tag_at + 16:
            tag = b"Xing" + struct.pack(">III", 3, frames, size + header.size)
            return (new + bytes(header.tag_at - 4) + tag).ljust(header.size, b"\0")
    return b""


def _tag_size(data: bytes) -> int:
    """Return the size of the tag that ``data`` begins with, 0 if it is none or its end unknown."""
    if data.startswith(b"TAG+"):
        return 227
    if data.startswith(b"TAG"):
        return 128
    if data.startswith(b"APETAGEX") and len(data) >= 32:
        size, _, flags = struct.unpack_from("<III", data, 12)
        # A footer's size counts itself and what was before it; a header's, all behind it.
        return 32 + int(size) if flags & 0x20000000 else 32
    if data.startswith(b"LYRICSBEGIN"):
        ends = [data.find(mark) + 9 for mark in (b"LYRICS200", b"LYRICSEND") if mark in data]
        return min(ends, default=0)
    return id3_size(data[:10])
