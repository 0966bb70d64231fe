"""The samples of WAV as its bytes come, from a file or through a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from asr_runtime.audio.byte_view import read_at
from asr_runtime.audio.file_kind import CONVERT, WAV_FORMS, is_wav
from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.audio.samples import Frames
from asr_runtime.audio.wav_layout import (
    LOOK_AHEAD,
    Following,
    WavHeader,
    chunk_bytes,
    read_wav_header,
    what_follows,
)
from asr_runtime.errors import AudioFileError

# Little, for samples that are no audio spoil all that came in the same piece.
_READ_BYTES = 1 << 12

_START_BYTES = 12
_SEARCH_BYTES = 1 << 20


class Readable(Protocol):
    """A binary stream, such as ``sys.stdin.buffer``."""

    def read1(self, size: int = ..., /) -> bytes:
        """Return at most ``size`` bytes, of one read; none at the end."""


class ByteStream:
    """A binary stream from which one can take what is there, or an exact number of bytes.

    Args:
        file: the stream.
        read_bytes: bytes to take at a time at most.

    Attributes:
        position: bytes that were taken.
    """

    def __init__(self, file: Readable, read_bytes: int = _READ_BYTES) -> None:
        self._file = file
        self._read_bytes = read_bytes
        self._returned = b""
        self.position = 0

    def some(self, most: int | None = None) -> bytes:
        """Return at most ``most`` bytes: wait until one is there, not until all are.

        Args:
            most: a number of bytes, or None for as many as are taken at a time.

        Returns:
            b"" at the end.
        """
        most = self._read_bytes if most is None else min(most, self._read_bytes)
        if self._returned:
            data, self._returned = self._returned[:most], self._returned[most:]
        else:
            data = self._file.read1(most)
        self.position += len(data)
        return data

    def exactly(self, count: int) -> bytes:
        """Return ``count`` bytes; fewer at the end only."""
        data = b""
        while len(data) < count and (piece := self.some(count - len(data))):
            data += piece
        return data

    def skip(self, count: int) -> None:
        """Leave out ``count`` bytes, or all there are until the end."""
        while count > 0 and (piece := self.some(count)):
            count -= len(piece)

    def put_back(self, data: bytes) -> None:
        """Have ``data`` come again."""
        self._returned = data + self._returned
        self.position -= len(data)


class WavReader:
    """Reads the samples of a WAV, and of those that were appended to it.

    The header's size is believed if the stream ends there, or chunks or another WAV follow; a size
    of 0 or one that more samples follow means nothing.

    Args:
        stream: bytes that begin with a WAV's header.

    Attributes:
        format: how the samples lie in bytes; of the WAV that is being read.
        remarks: what is odd about the headers so far.

    Raises:
        AudioFileError: There is no usable header, or the samples are coded.
        AudioContentError: The header states a sample rate that nothing records with.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._begin = stream.position
        self._header = read_wav_header(stream)
        self.format = _decodable(self._header)
        self.remarks = list(filter(None, [self._header.remark]))
        # Where a WAV should have ended in which another one begins.
        self._promised_end: int | None = None
        self._next: WavHeader | None = None

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], as they come.

        Raises:
            AudioFileError: The stream ends before the end that its header promises or inside a
                sample, or the header of another WAV behind it cannot be used.
        """
        while True:
            yield from self._segment()
            if self._next is None:
                break
            self._header = self._next
            self.format = _decodable(self._header)
            if self._header.remark is not None and self._header.remark not in self.remarks:
                self.remarks.append(self._header.remark)
        if self._promised_end not in (None, self._stream.position):
            raise AudioFileError(
                "is cut off or damaged (another WAV begins before the end that a header promises); "
                "check what sends it"
            )

    def _segment(self) -> Iterator[tuple[float, Frames]]:
        sample_format = self.format
        frame = sample_format.frame_bytes
        rest = b""
        self._next = None
        for piece in self._pieces():
            data = rest + piece if rest else piece
            whole = len(data) - len(data) % frame
            rest = data[whole:]
            if whole:
                yield sample_format.sample_rate, sample_format.decode(data[:whole])
        if rest and self._is_open and self._next is None:
            raise AudioFileError(
                f"ended in the middle of a sample ({len(rest)} of {frame} bytes); "
                "check what sends it"
            )

    def _pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the samples of one WAV; then ``_next`` is the header behind it."""
        header, stream = self._header, self._stream
        start = stream.position
        remaining = header.data_bytes
        self._is_open = remaining is None
        held = b""
        while True:
            if remaining is not None and remaining <= len(held):
                yield held
                held = b""
                if self._ends():
                    return
                self._is_open = True
                remaining = None
            piece = stream.some(None if remaining is None else remaining - len(held))
            if not piece:
                yield held
                if remaining is not None:
                    self._check_end(stream.position - start)
                return
            data = held + piece
            at = _find_wav(data)
            if at is not None:
                # Samples do not look like this: another WAV was appended.
                yield data[:at]
                if remaining is not None:
                    self._promised_end = start + (header.data_bytes or 0)
                stream.put_back(data[at:])
                self._begin = stream.position
                self._next = read_wav_header(stream)
                return
            keep = _unfinished_wav(data)
            yield data[: len(data) - keep]
            held = data[len(data) - keep :]
            if remaining is not None:
                remaining -= len(data) - keep

    def _ends(self) -> bool:
        """Whether the samples end here; goes on to the WAV behind them, or to the end."""
        stream = self._stream
        odd = bool((self._header.data_bytes or 0) % 2)
        is_first = True
        while True:
            data = stream.exactly(LOOK_AHEAD)
            kind, at = what_follows(data, odd=odd)
            stream.put_back(data[at:] if kind is Following.WAV else data)
            if kind is Following.SAMPLES:
                return not is_first
            if kind is Following.NOTHING:
                return True
            if kind is Following.WAV:
                self._begin = stream.position
                self._next = read_wav_header(stream)
                return True
            length = chunk_bytes(data[at:], big_endian=self._header.big_endian)
            stream.skip(at + 8 + length)
            odd = bool(length % 2)
            is_first = False

    def _check_end(self, available: int) -> None:
        missing = self._header.missing(available)
        if missing:
            sample_format = self.format
            seconds = missing / sample_format.frame_bytes / sample_format.sample_rate
            raise AudioFileError(
                f"ended {seconds:.2f} s before the end that its WAV header promises; "
                "check what sends it"
            )


def _decodable(header: WavHeader) -> SampleFormat:
    if header.format is None:
        raise AudioFileError(f"is WAV with {header.coded}; give 16-bit samples: {CONVERT}")
    return header.format


def contains_wav(file: BinaryIO, start: int, stop: int) -> bool:
    """Whether another WAV begins within a part of a seekable file."""
    overlap = _START_BYTES - 1
    for position in range(start, stop, _SEARCH_BYTES):
        data = read_at(file, position, min(_SEARCH_BYTES + overlap, stop - position))
        if _find_wav(data) is not None:
            return True
    return False


def _find_wav(data: bytes) -> int | None:
    """Return where a WAV begins within ``data``, or None."""
    at = data.find(b"WAVE")
    while at >= 0:
        if at >= 8 and is_wav(data[at - 8 : at + 4]):
            return at - 8
        at = data.find(b"WAVE", at + 1)
    return None


def _unfinished_wav(data: bytes) -> int:
    """Return how many of the last bytes might begin a WAV; usually none."""
    for count in range(min(len(data), _START_BYTES - 1), 0, -1):
        tail = data[-count:]
        begins = any(form.startswith(tail[:4]) for form in WAV_FORMS)
        if begins and b"WAVE".startswith(tail[8:]):
            return count
    return 0
