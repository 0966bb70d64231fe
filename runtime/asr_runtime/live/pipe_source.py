"""Live audio from standard input or a named pipe: WAV, raw samples, or what ffmpeg decodes."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_file import open_audio
from asr_runtime.audio.channels import MIX, Channels
from asr_runtime.audio.file_kind import CONVERT, START_BYTES, Route, file_kind, is_wav
from asr_runtime.audio.media import MediaDecoder, open_media
from asr_runtime.audio.raw_stream import RawReader, check_raw
from asr_runtime.audio.sample_format import SampleFormat, raw_format
from asr_runtime.audio.standard_input import standard_input, wait_for_data
from asr_runtime.audio.wav_stream import ByteStream, Readable, WavReader
from asr_runtime.audio.waveform import Mixdown
from asr_runtime.errors import AudioFileError
from asr_runtime.live.live_source import FileSource, LiveSource

STANDARD_INPUT = "-"

_START_BYTES = 12  # that tell WAV


def open_stream(
    name: str,
    raw: SampleFormat | float | None = None,
    *,
    channels: Channels = MIX,
    accept_incomplete: bool = False,
) -> LiveSource:
    """Open what ``asr-run --stream`` names.

    Waits for a pipe to be opened at its other end, and for the beginning of what it carries.

    Args:
        name: a file, a named pipe, or STANDARD_INPUT.
        raw: see `PipeSource`; None for a file or a stream with a header.
        channels: MIX, or the number of the channel to read, from 1 on.
        accept_incomplete: whether audio that is cut off is a warning and no error.

    Raises:
        AsrRuntimeError: There is no such stream, or it cannot be read.
    """
    settings: Any = {"channels": channels, "accept_incomplete": accept_incomplete}
    if name == STANDARD_INPUT:
        return PipeSource(standard_input(), raw, **settings)
    if raw is None and _is_regular_file(name):
        return FileSource(name, **settings)
    return PipeSource(open_audio(name), raw, **settings)


class PipeSource(LiveSource):
    """A stream of bytes: what has been written to it is there at once, however long it pauses.

    Args:
        file: the stream.
        raw: how the samples of a stream without a header lie in bytes; None for any other. A number
            is the sample rate in Hz of 16-bit little-endian mono samples.
        channels: MIX, or the number of the channel to read, from 1 on.
        accept_incomplete: whether an end that comes too early is a warning and no error.

    Raises:
        AudioFileError: The stream is empty or none that can be read.
        AudioContentError: Its sample rate is impossible.
    """

    def __init__(
        self,
        file: BinaryIO,
        raw: SampleFormat | float | None = None,
        *,
        channels: Channels = MIX,
        accept_incomplete: bool = False,
    ) -> None:
        wait_for_data(file)
        self._file = file
        self._accept_incomplete = accept_incomplete
        self._remarks: list[str] = []
        self._media: MediaDecoder | None = None
        stream = ByteStream(cast(Readable, file))
        if raw is not None and not isinstance(raw, SampleFormat):
            raw = raw_format("s16le", raw)
        reader: WavReader | RawReader | MediaDecoder
        with _reading():
            start = stream.exactly(_START_BYTES)
            if not start:
                raise AudioFileError("is empty; check what sends it")
            if raw is not None:
                check_raw(start)
                stream.put_back(start)
                reader = RawReader(stream, raw)
                self.sample_rate = raw.sample_rate
            elif is_wav(start):
                stream.put_back(start)
                reader = WavReader(stream)
                self.sample_rate = reader.format.sample_rate
            else:
                reader = self._media = _open_media(file, start)
                self.sample_rate = reader.sample_rate
        self._reader = reader
        self._blocks = reader.blocks()
        self._mixdown = Mixdown(self.sample_rate, channels)

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield mono samples [samples], -1..1, as soon as they are there.

        Raises:
            AudioFileError: The stream ended as it should not, behind all samples that came.
        """
        if self._file.closed:
            return
        empty = True
        with _reading():
            try:
                for block in self._mixdown.blocks(self._blocks):
                    empty = empty and not len(block)
                    yield block
            except AudioFileError as error:
                if not self._accept_incomplete:
                    raise
                self._remarks.append(f"it is incomplete ({error.problem})")
        if empty:
            raise AudioFileError("ended before any audio came; check what sends it")

    def close(self) -> None:
        """Stop listening."""
        self._file.close()
        if self._media is not None:
            self._media.close()

    def warnings(self) -> list[str]:
        """Return what people should know about the audio; complete once it is closed."""
        odd = self._reader.remarks if isinstance(self._reader, WavReader) else []
        return [*odd, *self._remarks, *self._mixdown.warnings]


def _open_media(file: BinaryIO, start: bytes) -> MediaDecoder:
    """Have ffmpeg or PyAV decode a stream that is not WAV."""
    # Longer than what tells WAV; such a stream is no few bytes, so this waits for nothing.
    read = getattr(file, "read1", file.read)
    while len(start) < START_BYTES and (piece := read(START_BYTES - len(start))):
        start += piece
    kind = file_kind(start)
    if kind.route is Route.UNKNOWN:
        raise AudioFileError(
            "is no WAV stream; give --sample-rate if it is 16-bit mono samples without a header, "
            f"or convert it: {CONVERT}"
        )
    return open_media(file, kind.name, begin=start, stall_seconds=None)


def _is_regular_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False  # opening it will tell


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error}); check the device"
        raise AudioFileError(problem) from None
