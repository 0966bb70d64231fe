"""What a recogniser can transcribe: a file or its bytes, a stream, or samples and their rate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_file import AudioFile
from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.channels import MIX, Channels
from asr_runtime.audio.samples import Mono, checked_sample_rate, to_frames
from asr_runtime.audio.waveform import Mixdown
from asr_runtime.errors import AudioContentError

AudioPath: TypeAlias = str | os.PathLike[str]
Audio: TypeAlias = AudioFile | tuple[npt.ArrayLike, float]
"""A path, the bytes of a file, an open binary file, or samples and their sample rate."""

_BLOCK_SAMPLES = 1 << 17


class AudioBlocks(Protocol):
    """An `AudioReader` or `SampleBlocks`."""

    @property
    def sample_rate(self) -> float:
        """Hz."""

    @property
    def channel_count(self) -> int:
        """Number of channels."""

    @property
    def warnings(self) -> list[str]:
        """What people should know about the audio; complete once all blocks were read."""

    def blocks(self, channels: Channels | None = None) -> Iterator[Mono]:
        """Yield mono blocks [samples], -1..1, from the first to the last."""


class SampleBlocks:
    """Samples in memory, read in blocks as `AudioReader` reads a file.

    Args:
        samples: see `to_frames`; or bytes of 16-bit little-endian mono samples.
        sample_rate: Hz.
        channels: MIX, or the number of the channel to read, from 1 on.

    Attributes:
        sample_rate: Hz.
        channel_count: number of channels.
        duration: seconds.

    Raises:
        AudioContentError: The sample rate is none.
        TypeError: The samples are of a type that holds none.
    """

    def __init__(
        self, samples: npt.ArrayLike, sample_rate: float, channels: Channels = MIX
    ) -> None:
        self.sample_rate = checked_sample_rate(sample_rate)
        self._channels = channels
        self._samples = samples if isinstance(samples, np.ndarray) else _as_array(samples)
        self.channel_count = self._samples.shape[1] if self._samples.ndim == 2 else 1
        frames = len(self._samples) if self._samples.ndim else 0
        self.duration: float | None = frames / self.sample_rate
        self._mixdown: Mixdown | None = None

    @property
    def warnings(self) -> list[str]:
        """What people should know about the samples; complete once all blocks were read."""
        return [] if self._mixdown is None else self._mixdown.warnings

    def blocks(self, channels: Channels | None = None) -> Iterator[Mono]:
        """Yield the samples from the first to the last: float32 [samples], -1..1.

        Args:
            channels: what to read instead of what was asked for first. Every call begins anew.

        Raises:
            AudioContentError: They are no audio, when it comes to them.
        """
        channels = self._channels if channels is None else channels
        mixdown = self._mixdown = Mixdown(self.sample_rate, channels)
        yield from mixdown.blocks(
            (self.sample_rate, to_frames(part)) for part in _parts(self._samples)
        )


class OneChannel:
    """One channel of audio that is open, read as if there were no other.

    Attributes:
        channel: The number of the channel, from 1 on.
        sample_rate: Hz.
        channel_count: 1.
    """

    channel_count = 1

    def __init__(self, audio: AudioBlocks, channel: int) -> None:
        """Choose a channel.

        Args:
            audio: What is open, and stays open.
            channel: The number of the channel, from 1 on.
        """
        self._audio = audio
        self.channel = channel
        self.sample_rate = audio.sample_rate

    @property
    def warnings(self) -> list[str]:
        """What people should know about the audio; complete once all blocks were read."""
        return self._audio.warnings

    def blocks(self, channels: Channels | None = None) -> Iterator[Mono]:
        """Yield the channel's samples from the first to the last: float32 [samples], -1..1."""
        return self._audio.blocks(self.channel)


def to_source(audio: AudioFile | npt.ArrayLike, sample_rate: float | None) -> Audio:
    """Tell files from samples, which are given with their rate beside them.

    Args:
        audio: As in `Recognizer.transcribe`.
        sample_rate: Of samples, in Hz.

    Raises:
        TypeError: Samples have no sample rate, a file has one, or it is neither.
    """
    is_path = isinstance(audio, (str, os.PathLike))
    is_file = is_path or callable(getattr(audio, "read", None))
    if sample_rate is not None:
        if is_file:
            raise TypeError("a file brings its own sample rate; leave sample_rate out")
        return cast(npt.ArrayLike, audio), sample_rate
    is_content = isinstance(audio, (bytes, bytearray)) or (
        isinstance(audio, memoryview) and audio.format in ("B", "b", "c")
    )
    if is_file or is_content:
        return cast(AudioFile, audio)
    if isinstance(audio, (np.ndarray, memoryview, list)) or hasattr(audio, "__array__"):
        raise TypeError("samples need their sample_rate")
    raise TypeError(
        f"audio is of type {type(audio).__name__}; give a path, the bytes of a file, a file that "
        "is open in binary mode, or samples with their sample rate"
    )


@contextmanager
def open_source(
    audio: Audio,
    subject: str | None = None,
    *,
    channels: Channels = MIX,
    accept_incomplete: bool = False,
) -> Iterator[AudioBlocks]:
    """Open audio while the context lasts.

    Args:
        audio: a path, the bytes of a file, an open binary file, or samples and their sample rate.
        subject: what an error is about; the path if it is None and there is one.
        channels: MIX, or the number of the channel to read, from 1 on.
        accept_incomplete: whether to read what is there of a file that is cut off or damaged.

    Raises:
        AudioFileError: See `AudioReader`.
        AudioContentError: See `SampleBlocks`; one that is raised within the context gets the
            subject.
        TypeError: It is of a type that holds no audio.
    """
    if isinstance(audio, (str, os.PathLike)):
        subject = os.fspath(audio)
    try:
        if isinstance(audio, tuple):
            if len(audio) != 2:
                raise TypeError("audio is a tuple, but not one of samples and their sample rate")
            yield SampleBlocks(*audio, channels=channels)
        else:
            with AudioReader(
                audio, channels=channels, accept_incomplete=accept_incomplete
            ) as reader:
                yield reader
    except AudioContentError as error:
        if error.subject is None:
            error.subject = subject
        raise


def opened_source(
    audio: Audio | AudioBlocks, channels: Channels, accept_incomplete: bool
) -> AbstractContextManager[AudioBlocks]:
    """Return what `open_source` does, or audio that is open already, which then stays open.

    Args:
        audio: Audio, open or not.
        channels: See `open_source`; what is open already has its own.
        accept_incomplete: See `open_source`; what is open already has its own.
    """
    if hasattr(audio, "blocks"):
        return nullcontext(cast(AudioBlocks, audio))
    return open_source(audio, channels=channels, accept_incomplete=accept_incomplete)


def _as_array(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    from asr_runtime.audio.raw_stream import as_array

    return as_array(samples)


def _parts(samples: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    if samples.ndim not in (1, 2) or samples.size <= _BLOCK_SAMPLES:
        yield samples
        return
    # In blocks of about one length, and not shorter than wide: what has more channels than samples
    # looks transposed.
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    number = min(-(-samples.size // _BLOCK_SAMPLES), max(len(samples) // channels, 1))
    edges = np.linspace(0, len(samples), number + 1).astype(int).tolist()
    for begin, end in pairwise(edges):
        yield samples[begin:end]
