"""Samples without a header: from a file, through a pipe, or as bytes in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.file_kind import CONVERT, START_BYTES, Route, file_kind
from asr_runtime.audio.sample_format import SampleFormat, raw_format
from asr_runtime.audio.samples import Frames
from asr_runtime.errors import AudioContentError, AudioFileError

if TYPE_CHECKING:
    from asr_runtime.audio.wav_stream import ByteStream

# Samples may begin like these.
_UNSURE = frozenset({"MP3", "AAC", "AC-3", "MPEG-TS", "MPEG video", "Musepack"})


class RawReader:
    """Reads samples as their bytes come.

    Args:
        stream: the bytes.
        sample_format: how the samples lie in them.

    Attributes:
        format: the same.
    """

    def __init__(self, stream: ByteStream, sample_format: SampleFormat) -> None:
        self._stream = stream
        self.format = sample_format

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], as they come.

        Raises:
            AudioFileError: The stream ends inside a sample.
        """
        frame = self.format.frame_bytes
        rest = b""
        while piece := self._stream.some():
            data = rest + piece if rest else piece
            whole = len(data) - len(data) % frame
            rest = data[whole:]
            if whole:
                yield self.format.sample_rate, self.format.decode(data[:whole])
        if rest:
            raise AudioFileError(
                f"ended in the middle of a sample ({len(rest)} of {frame} bytes); "
                "check what sends it"
            )


def check_raw(start: bytes) -> None:
    """Check that bytes are no file: read as samples, one is noise.

    Samples hardly ever look like the start of a file, but for that of an MP3.

    Args:
        start: the first bytes.

    Raises:
        AudioFileError: They begin a file.
    """
    kind = file_kind(start)
    if kind.route is Route.WAV:
        raise AudioFileError("is WAV, which brings its own sample rate; leave --sample-rate out")
    if kind.route is Route.UNKNOWN or (kind.name in _UNSURE and not start.startswith(b"ID3")):
        return
    raise AudioFileError(
        f"is {kind.name} and not samples without a header; "
        f"leave --sample-rate out for a file, and convert a stream: {CONVERT}"
    )


class SampleBytes:
    """Makes arrays of samples, whatever they come in; bytes may be divided anywhere.

    Attributes:
        rest: Bytes of a sample that has not come as a whole.
    """

    def __init__(self, sample_format: SampleFormat | None = None) -> None:
        """Begin with no samples.

        Args:
            sample_format: How samples lie in bytes; None for 16-bit little-endian mono.
        """
        self._format = sample_format or raw_format("s16le", 16_000)
        self._is_checked = False
        self.rest = b""

    def array(self, samples: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return samples as an array, of which nothing but the type is checked.

        Args:
            samples: What numpy makes an array of; or bytes, bytearray or a memoryview of bytes.

        Returns:
            [samples] or [samples, channels], of the type that they have; of bytes float32, -1..1.

        Raises:
            AudioFileError: Bytes are those of a file.
            TypeError: It holds no samples.
        """
        is_bytes = isinstance(samples, (bytes, bytearray))
        if isinstance(samples, memoryview) and samples.format in ("B", "b", "c"):
            is_bytes = True
        if not is_bytes:
            return _array(samples)
        data = bytes(samples)  # type: ignore[arg-type]
        if not self._is_checked:
            check_raw(data[:START_BYTES])
            self._is_checked = True
        data = self.rest + data
        whole = len(data) - len(data) % self._format.frame_bytes
        self.rest = data[whole:]
        decoded = self._format.decode(data[:whole])
        return decoded[:, 0] if self._format.channels == 1 else decoded


def as_array(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return all samples as an array, [samples] or [samples, channels]; see `SampleBytes`.

    Raises:
        AudioContentError: Bytes end inside a sample.
        AudioFileError: Bytes are those of a file.
        TypeError: It holds no samples.
    """
    stream = SampleBytes()
    result = stream.array(samples)
    if stream.rest:
        raise AudioContentError(
            "bytes end inside a sample; give 16-bit little-endian mono samples, or an array"
        )
    return result


def _array(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    if samples is None or isinstance(samples, (str, os.PathLike, dict, set, frozenset)):
        raise TypeError(
            f"samples are of type {type(samples).__name__}; give a numpy array or bytes"
        )
    if callable(getattr(samples, "read", None)):
        raise TypeError("a file brings its own sample rate; leave sample_rate out")
    return np.asarray(samples)
