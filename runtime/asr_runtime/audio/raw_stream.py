"""Samples without a header, from a file or through a pipe."""

from __future__ import annotations

from collections.abc import Iterator

from asr_runtime.audio.file_kind import CONVERT, Route, file_kind
from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.audio.samples import Frames
from asr_runtime.audio.wav_stream import ByteStream
from asr_runtime.errors import AudioFileError

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
