"""What a recogniser can transcribe: a file, a binary stream, or samples with their rate."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.sample_blocks import SampleBlocks
from asr_runtime.errors import AudioContentError

AudioPath: TypeAlias = str | os.PathLike[str]
Audio: TypeAlias = AudioPath | tuple[npt.ArrayLike, float]
"""A file, or samples and their sample rate."""


class AudioBlocks(Protocol):
    """An `AudioReader` or `SampleBlocks`."""

    @property
    def sample_rate(self) -> float:
        """In Hz."""

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Mono blocks [samples], once."""


@contextmanager
def open_source(audio: Audio | BinaryIO, subject: str | None = None) -> Iterator[AudioBlocks]:
    """Open audio while the context lasts.

    subject: what an error is about; the path if it is None and there is one.

    Raises what `AudioReader` and `SampleBlocks` do. AudioContentError that is raised within the
    context gets the subject.
    """
    if isinstance(audio, (str, os.PathLike)):
        subject = os.fspath(audio)
    try:
        if isinstance(audio, tuple):
            yield SampleBlocks(*audio)
        else:
            with AudioReader(audio) as reader:
                yield reader
    except AudioContentError as error:
        if error.subject is None:
            error.subject = subject
        raise
