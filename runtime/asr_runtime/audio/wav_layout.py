"""The one reader of WAV: its header, how much audio it promises, and what stands behind that.

WAV here is RIFF, the big-endian RIFX, and RF64 with sizes of 64 bits. Files, the check whether a
file is whole, and pipes all go by the functions of this module. `wav_stream` reads the samples.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO, Protocol

from asr_runtime.audio.byte_view import file_size, read_at
from asr_runtime.audio.file_kind import is_wav
from asr_runtime.audio.layout import id3_size, is_placeholder
from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.audio.wav_format import WavFormat, damaged_wav, read_wav_format

_LARGEST_SIZE = 0xFFFFFFFF

_START_BYTES = 12  # RIFF, a size and WAVE
LOOK_AHEAD = 13
"""Bytes behind the samples that tell what follows them: padding, and a header's start."""

# What writers put behind the samples, besides other chunks that look like one.
_CHUNKS_AFTER_SAMPLES = frozenset(
    b"LIST,INFO,id3 ,ID3 ,fact,PEAK,cue ,plst,labl,note,adtl,bext,iXML,axml,_PMX,smpl,inst,acid,"
    b"cart,chna,umid,afsp,JUNK,junk,PAD ,FLLR,data".split(b",")
)
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _")
_LARGEST_OTHER_CHUNK = 1 << 20


class ByteReader(Protocol):
    """A place in a file or a pipe from which a header can be read."""

    def exactly(self, count: int) -> bytes:
        """Return ``count`` bytes; fewer at the end only."""

    def skip(self, count: int) -> None:
        """Leave out ``count`` bytes, or all there are until the end."""


class Following(Enum):
    """What stands behind the samples that a header promises."""

    NOTHING = "nothing"
    CHUNK = "a chunk"
    WAV = "another WAV"
    SAMPLES = "more samples"


@dataclass(frozen=True)
class WavHeader:
    """What stands before the samples.

    Attributes:
        format: how the samples lie in bytes, or None if they are coded in another way.
        coded: what they are coded with, for people.
        data_bytes: bytes of samples that it promises, or None if it leaves that open.
        file_bytes: bytes of the whole file that it promises, or None if it leaves that open.
        size: bytes of the header.
        big_endian: whether its sizes are.
        remark: what is odd about it, for people; or None.
    """

    format: SampleFormat | None
    coded: str
    data_bytes: int | None
    file_bytes: int | None
    size: int
    big_endian: bool = False
    remark: str | None = None

    def missing(self, available: int) -> int:
        """Return how many of the promised bytes are missing, 0 if the file is whole all the same.

        A header with one size that is right and one that is too large comes from a recorder that
        miscounts. Usually it has put the file's size in place of the samples'.

        Args:
            available: bytes of samples there are until the end of the file.
        """
        if self.data_bytes is None or self.data_bytes <= available:
            return 0
        whole = self.size + available
        if self.data_bytes in (whole, whole - 8) or self.file_bytes in (whole, whole + 1):
            return 0
        return self.data_bytes - available


@dataclass(frozen=True)
class WavSegment:
    """One WAV of those that a file consists of.

    Attributes:
        header: its header.
        begin: the header's first byte.
        start: the first byte of samples.
        stop: the first byte that is none any more.
    """

    header: WavHeader
    begin: int
    start: int
    stop: int


@dataclass(frozen=True)
class WavLayout:
    """What a WAV file consists of.

    Attributes:
        segments: the WAVs that were joined to one file; usually there is one.
        problem: what is missing, for people; None if the file is whole.
    """

    segments: tuple[WavSegment, ...]
    problem: str | None = None

    @property
    def remarks(self) -> list[str]:
        """What is odd about the file although all of it can be read."""
        found = (segment.header.remark for segment in self.segments)
        return list(dict.fromkeys(filter(None, found)))

    @property
    def duration(self) -> float | None:
        """Seconds of audio, or None if it is coded."""
        seconds = 0.0
        for segment in self.segments:
            sample_format = segment.header.format
            if sample_format is None:
                return None
            frames = (segment.stop - segment.start) // sample_format.frame_bytes
            seconds += frames / sample_format.sample_rate
        return seconds


def read_wav_layout(file: BinaryIO, begin: int = 0) -> WavLayout:
    """Read the headers of all WAVs that a seekable file consists of.

    Args:
        file: a WAV file.
        begin: where its first byte is.

    Raises:
        AudioFileError: A header does not lead to samples.
        AudioContentError: A header states a sample rate that nothing records with.
    """
    size = file_size(file)
    segments: list[WavSegment] = []
    problem: str | None = None
    position: int | None = begin
    while position is not None:
        header = read_wav_header(_FileBytes(file, position), "copy or record it again")
        start = position + header.size
        stop, following = size, None
        is_open = header.data_bytes is None
        if header.data_bytes is not None:
            if missing := header.missing(size - start):
                problem = (
                    f"the WAV header promises {header.data_bytes} bytes of audio and "
                    f"{header.data_bytes - missing} are there"
                )
            declared = start + header.data_bytes
            if declared <= size:
                stop, following = _find_end(file, header, declared, size)
            is_open = stop > declared
        if is_open and header.format is not None:
            frame = header.format.frame_bytes
            if rest := (stop - start) % frame:
                problem = f"it ends in the middle of a sample, {rest} of {frame} bytes"
        segments.append(WavSegment(header, position, start, stop))
        position = following
    return WavLayout(tuple(segments), problem)


def _find_end(
    file: BinaryIO, header: WavHeader, declared: int, size: int
) -> tuple[int, int | None]:
    """Return where the samples end, and where another WAV begins, if one does."""
    odd = bool((header.data_bytes or 0) % 2)
    position = declared
    while True:
        data = read_at(file, position, LOOK_AHEAD)
        kind, at = what_follows(data, odd=odd)
        if kind is Following.WAV:
            return declared, position + at
        if kind is Following.SAMPLES and position == declared:
            return size, None
        if kind is not Following.CHUNK:
            return declared, None
        length = chunk_bytes(data[at:], big_endian=header.big_endian)
        position += at + 8 + length
        odd = bool(length % 2)


def read_wav_header(stream: ByteReader, advice: str = "check what sends it") -> WavHeader:
    """Read up to the first sample; chunks before the samples are skipped.

    Args:
        stream: what stands at the header's first byte, and then at the first sample.
        advice: what to do about a header that is damaged.

    Raises:
        AudioFileError: There is no usable header.
        AudioContentError: It states a sample rate that nothing records with.
    """
    start = stream.exactly(_START_BYTES)
    if len(start) < _START_BYTES:
        raise damaged_wav("ends before the audio", advice)
    order = ">" if start[:4] == b"RIFX" else "<"
    file_bytes = struct.unpack(order + "I", start[4:8])[0] + 8
    described: WavFormat | None = None
    long_size: int | None = None
    read = _START_BYTES
    while len(head := stream.exactly(8)) == 8:
        name, size = struct.unpack(order + "4sI", head)
        read += 8
        if name == b"data":
            if described is None:
                raise damaged_wav("does not describe the samples", advice)
            if size == _LARGEST_SIZE and long_size is not None:
                # A 64-bit size that is not known is as large, or 0.
                size = long_size if long_size < 1 << 62 else 0
            elif is_placeholder(size):
                size = None
            known = file_bytes > 8 and not is_placeholder(file_bytes - 8)
            total = file_bytes if known and long_size is None else None
            return WavHeader(
                described.format,
                described.coded,
                size,
                total,
                read,
                order == ">",
                described.remark,
            )
        content = stream.exactly(min(size, 40))
        if name == b"fmt ":
            described = read_wav_format(content, order, advice)
        elif name == b"ds64" and len(content) >= 16:
            long_size = struct.unpack_from("<Q", content, 8)[0]
        stream.skip(size + size % 2 - len(content))  # chunks are padded to an even length
        read += size + size % 2
    raise damaged_wav("ends before the audio", advice)


def what_follows(data: bytes, *, odd: bool) -> tuple[Following, int]:
    """Judge what stands behind samples or a chunk.

    A file and a pipe have to be judged alike, so no more is looked at than a pipe has to wait for.

    Args:
        data: the next LOOK_AHEAD bytes, or fewer at the end.
        odd: whether a byte of padding should come first.

    Returns:
        What it is, and how many bytes of padding are before it.
    """
    for padding in (1, 0) if odd else (0,):
        rest = data[padding:]
        if len(rest) < 8 and not rest.strip(b"\0"):
            return Following.NOTHING, len(data)
        if is_wav(rest):
            return Following.WAV, padding
        if len(rest) >= 8 and _is_chunk(rest):
            return Following.CHUNK, padding
    if data.startswith(b"TAG") or id3_size(data):
        return Following.NOTHING, len(data)
    return Following.SAMPLES, 0


def chunk_bytes(data: bytes, *, big_endian: bool = False) -> int:
    """Return the number of bytes in the chunk whose name and size ``data`` begins with."""
    return int.from_bytes(data[4:8], "big" if big_endian else "little")


def _is_chunk(data: bytes) -> bool:
    if data[:4] in _CHUNKS_AFTER_SAMPLES:
        return True
    sizes = chunk_bytes(data), chunk_bytes(data, big_endian=True)
    return _LETTERS.issuperset(data[:4]) and min(sizes) < _LARGEST_OTHER_CHUNK


class _FileBytes:
    """A place in a seekable file."""

    def __init__(self, file: BinaryIO, position: int) -> None:
        self._file = file
        self._position = position

    def exactly(self, count: int) -> bytes:
        data = read_at(self._file, self._position, count)
        self._position += len(data)
        return data

    def skip(self, count: int) -> None:
        self._position += count
