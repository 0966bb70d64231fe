"""An audio file read in blocks, so that memory does not grow with its length."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from asr_runtime.audio.audio_decoding import AudioDecoding
from asr_runtime.audio.audio_file import AudioFile, rewindable
from asr_runtime.audio.channels import MIX, Channels, checked_channels
from asr_runtime.audio.samples import Mono
from asr_runtime.audio.waveform import Mixdown
from asr_runtime.errors import AudioFileError

if TYPE_CHECKING:
    from asr_runtime.audio.sample_format import SampleFormat


class AudioReader:
    """An open audio file.

    Args:
        source: a path, the bytes of a file, or a binary stream such as standard input, which is
            read to its end. What cannot be rewound is copied to a temporary file if it is large.
        channels: MIX, or the number of the channel to read, from 1 on.
        raw_format: how the samples lie in a file without a header; None for any other.
        accept_incomplete: whether to read what is there of a file that is cut off or damaged. It is
            then among the warnings.

    Attributes:
        sample_rate: Hz.
        channel_count: number of channels, at the beginning.
        duration: length in seconds as far as the file says it, else None. It tells how far reading
            has come; of an MP3 it may be an estimate.
        warnings: what people should know about the audio; complete once all blocks were read.

    Raises:
        AudioFileError: The source cannot be opened, is empty, is no audio, or is known to be cut
            off; the path is its subject. `blocks` raises it for what shows during decoding.
        AudioContentError: The channel asked for is not there.
    """

    sample_rate: float
    channel_count: int
    duration: float | None

    def __init__(
        self,
        source: AudioFile,
        *,
        channels: Channels = MIX,
        raw_format: SampleFormat | None = None,
        accept_incomplete: bool = False,
    ) -> None:
        checked_channels(channels)
        self._channels = channels
        self._subject = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
        self._resources = ExitStack()
        self._mixdown: Mixdown | None = None
        with self._naming_errors():
            try:
                self._decoding = AudioDecoding(
                    rewindable(source, self._resources),
                    source,
                    self._resources,
                    raw_format=raw_format,
                    accept_incomplete=accept_incomplete,
                )
            except BaseException:
                self.close()
                raise
        self.sample_rate = self._decoding.sample_rate
        self.channel_count = self._decoding.channel_count
        self.duration = self._decoding.duration

    @property
    def warnings(self) -> list[str]:
        """What people should know about the audio; complete once all blocks were read."""
        return [
            *self._decoding.remarks,
            *(self._mixdown.warnings if self._mixdown is not None else []),
        ]

    def blocks(self, channels: Channels | None = None) -> Iterator[Mono]:
        """Yield the samples from the first to the last: float32 [samples], -1..1.

        Args:
            channels: what to read instead of what was asked for first. Every call begins anew.

        Raises:
            AudioFileError: Decoding stops before the end.
            AudioContentError: The channel asked for is not there.
        """
        channels = self._channels if channels is None else channels
        with self._naming_errors():
            mixdown = self._mixdown = Mixdown(self.sample_rate, channels)
            yield from mixdown.blocks(self._decoding.blocks())

    def close(self) -> None:
        """Close the file, and delete the copy if one was made."""
        self._resources.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except AudioFileError as error:
            error.subject = self._subject
            raise
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error}); check the device"
            raise AudioFileError(problem, self._subject) from None


def read_audio(source: AudioFile, channels: Channels = MIX) -> tuple[Mono, float]:
    """Read a whole file.

    Args:
        source: see `AudioReader`.
        channels: MIX, or the number of the channel to read, from 1 on.

    Returns:
        Mono samples [samples], -1..1, and their sample rate in Hz. Channels are mixed block by
        block, so memory holds one channel.

    Raises:
        AudioFileError: See `AudioReader`.
        AudioContentError: The channel asked for is not there.
    """
    with AudioReader(source, channels=channels) as reader:
        blocks = list(reader.blocks())
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), reader.sample_rate
