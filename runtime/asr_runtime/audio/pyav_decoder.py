"""Sound that PyAV decodes, where there is no ffmpeg."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from asr_runtime.audio.file_kind import CHECK
from asr_runtime.audio.samples import Frames
from asr_runtime.audio.sound_file import DamagedAudioError
from asr_runtime.errors import AudioFileError

_GAP_SECONDS = 0.1  # between packets, that is filled with silence


class AvDecoder:
    """Decodes with PyAV.

    Args:
        source, name, begin: see `open_media`.

    Raises:
        AudioFileError: PyAV cannot read the file, or it has no sound.
    """

    def __init__(
        self, source: str | os.PathLike[str] | BinaryIO, name: str, begin: bytes = b""
    ) -> None:
        import av

        self._av = av
        self._container: Any = None
        file = source if isinstance(source, (str, os.PathLike)) else _Rest(source, begin)
        try:
            with _complaints(av):
                self._container = av.open(file, "r", metadata_errors="replace")
            streams = self._container.streams.audio
            if not streams:
                raise AudioFileError(f"is {name} without sound; {CHECK}")
            self._stream = streams[0]
            if self._stream.codec_context is None:
                raise AudioFileError(f"is {name} with sound of an unknown coding; {CHECK}")
            self._packets = iter(self._container.demux(self._stream))
            self.sample_rate = float(self._stream.codec_context.sample_rate)
            self.channels = int(self._stream.codec_context.channels)
        except (av.FFmpegError, ValueError) as error:
            self.close()
            reason = getattr(error, "strerror", None) or error
            raise AudioFileError(f"is {name} that cannot be read ({reason}); {CHECK}") from None
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[tuple[float, Frames]]:
        """Yield the sample rate in Hz and samples [samples, channels], once.

        Raises:
            DamagedAudioError: The file is cut off or damaged.
        """
        av, stream = self._av, self._stream
        resampler = av.AudioResampler(format="flt")
        done = 0
        while True:
            with _complaints(av) as complaints:
                try:
                    packet = next(self._packets, None)
                    frames = [] if packet is None else packet.decode()
                except av.FFmpegError as error:
                    raise DamagedAudioError(error.strerror or str(error)) from None
            for frame in frames:
                rate = frame.sample_rate
                time = None if frame.pts is None else float(frame.pts * frame.time_base)
                if time is not None:
                    gap = round((time - float((stream.start_time or 0) * stream.time_base)) * rate)
                    if gap - done > _GAP_SECONDS * rate:
                        yield rate, np.zeros((gap - done, self.channels), np.float32)
                        done = gap
                for part in resampler.resample(frame):
                    samples = part.to_ndarray().reshape(-1, part.layout.nb_channels)
                    done += len(samples)
                    yield rate, samples
            for level, _, message in complaints:
                if level <= av.logging.ERROR:
                    raise DamagedAudioError(message.strip())
            if packet is None:
                break
        declared = self._container.duration
        if declared and declared / 1e6 - done / self.sample_rate > 1.0:
            raise DamagedAudioError(
                f"decoding stops after {done / self.sample_rate:.2f} s of {declared / 1e6:.2f} s"
            )

    def close(self) -> None:
        """Release the decoder."""
        if self._container is not None:
            self._container.close()


@contextlib.contextmanager
def _complaints(av: Any) -> Iterator[list[Any]]:
    """Collect what ffmpeg's libraries complain of, which they otherwise keep to themselves."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as messages:
            yield messages
    finally:
        av.logging.set_level(level)


class _Rest:
    """A stream whose first bytes were taken, in the way PyAV reads one."""

    def __init__(self, stream: BinaryIO, begin: bytes) -> None:
        self._stream = stream
        self._begin = begin
        if not begin and stream.seekable():
            self.seek = stream.seek
            self.tell = stream.tell

    def read(self, size: int) -> bytes:
        if self._begin:
            data, self._begin = self._begin[:size], self._begin[size:]
            return data
        read: Any = getattr(self._stream, "read1", self._stream.read)
        data = read(size)
        return bytes(data)
