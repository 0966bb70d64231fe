"""Live audio from standard input or a named pipe: WAV, or raw samples of a known rate."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_reader import open_audio
from asr_runtime.audio.byte_stream import ByteStream, Readable
from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.audio.wav_stream import CONVERT, is_wav, read_wav_header, read_wav_samples
from asr_runtime.audio.waveform import checked_sample_rate
from asr_runtime.errors import AudioFileError
from asr_runtime.live.live_source import FileSource, LiveSource

STANDARD_INPUT = "-"

_OTHER_FORMATS = {
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"FORM": "AIFF",
    b".snd": "AU",
    b"caff": "CAF",
    b"\x1aE\xdf\xa3": "WebM or Matroska",
}


def open_stream(name: str, raw_sample_rate: float | None = None) -> LiveSource:
    """Open a stream of audio.

    It waits for a pipe to be opened at its other end, and for the WAV header.

    Args:
        name: A file, a named pipe, or STANDARD_INPUT.
        raw_sample_rate: Hz of 16-bit little-endian mono samples without a header; None for an audio
            file or a WAV stream.

    Returns:
        The source.

    Raises:
        AsrRuntimeError: It cannot be opened, or is no such audio.
    """
    if name == STANDARD_INPUT:
        return PipeSource(_standard_input(), raw_sample_rate)
    if raw_sample_rate is None and _is_regular_file(name):
        return FileSource(name)
    return PipeSource(open_audio(name), raw_sample_rate)


class PipeSource(LiveSource):
    """A stream of bytes: what has been written to it is there at once, however long it pauses."""

    def __init__(self, file: BinaryIO, raw_sample_rate: float | None = None) -> None:
        """Wait for the header.

        Args:
            file: The open stream.
            raw_sample_rate: Hz of 16-bit little-endian mono samples without a header; None for WAV.

        Raises:
            AudioFileError: It is empty, cannot be read or is no such audio.
            AudioContentError: The sample rate is impossible.
        """
        _wait_for_data(file)
        self._file = file
        self._stream = ByteStream(cast(Readable, file))
        with _reading():
            start = self._stream.exactly(12)
            if not start:
                raise AudioFileError("is empty; check what sends it")
            self._stream.put_back(start)
            if raw_sample_rate is None:
                if not is_wav(start):
                    raise _no_wav(start)
                header = read_wav_header(self._stream)
                self._format = header.format
                self._pieces = read_wav_samples(self._stream, header)
            else:
                _check_raw(start)
                rate = checked_sample_rate(raw_sample_rate)
                self._format = SampleFormat(rate, channels=1, encoding="i2")
                self._pieces = iter(self._stream.some, b"")
        self.sample_rate = self._format.sample_rate

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield what has come, float32 [samples].

        Raises:
            AudioFileError: The stream ended within a sample or before any, or cannot be read on.
        """
        if self._file.closed:
            return
        frame = self._format.frame_bytes
        rest = b""
        empty = True
        with _reading():
            for piece in self._pieces:
                data = rest + piece
                whole = len(data) - len(data) % frame
                rest = data[whole:]
                if whole:
                    empty = False
                    yield self._format.decode(data[:whole])
        if rest:
            raise AudioFileError(
                f"ended in the middle of a sample ({len(rest)} of {frame} bytes); "
                "check what sends it"
            )
        if empty:
            raise AudioFileError("ended before any audio came; check what sends it")

    def close(self) -> None:
        """Close the stream."""
        self._file.close()


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise AudioFileError("standard input is closed; pipe audio into it")
    if sys.stdin.isatty():
        raise AudioFileError("standard input is the terminal; pipe audio into it")
    return sys.stdin.buffer


def _is_regular_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False  # opening it will tell


def _wait_for_data(file: BinaryIO) -> None:
    """Have reads wait: an empty pipe that does not let them looks as if it had ended."""
    # Windows' pipes are not so, and what is no file of the system has no such setting.
    with contextlib.suppress(OSError, AttributeError):
        os.set_blocking(file.fileno(), True)


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error}); check the device"
        raise AudioFileError(problem) from None


def _no_wav(start: bytes) -> AudioFileError:
    kind = _other_format(start)
    if kind is None and start[:1] == b"\xff" and start[1:2] >= b"\xe0":
        kind = "MP3 or AAC"
    if kind is not None:
        return AudioFileError(f"is {kind}, and a stream has to be WAV; convert it: {CONVERT}")
    return AudioFileError(
        "is no WAV stream; give --sample-rate if it is 16-bit mono samples without a header, or "
        f"convert it: {CONVERT}"
    )


def _check_raw(start: bytes) -> None:
    """Refuse a file: samples hardly ever look like its start, and as samples it is noise."""
    if is_wav(start):
        raise AudioFileError("is WAV, which brings its own sample rate; leave --sample-rate out")
    kind = _other_format(start)
    if kind is not None:
        raise AudioFileError(
            f"is {kind} and not samples without a header; "
            f"leave --sample-rate out for a file, and convert a stream: {CONVERT}"
        )


def _other_format(start: bytes) -> str | None:
    return next((kind for magic, kind in _OTHER_FORMATS.items() if start.startswith(magic)), None)
