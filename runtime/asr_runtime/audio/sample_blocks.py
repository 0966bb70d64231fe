"""Samples in memory, read in blocks as `AudioReader` reads a file."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.waveform import checked_sample_rate, to_mono

_BLOCK_SAMPLES = 1 << 17


class SampleBlocks:
    """Samples as `Recognizer.transcribe` takes them; `sample_rate` is in Hz, `duration` in seconds.

    Raises AudioContentError for a sample rate that is none.
    """

    def __init__(self, samples: npt.ArrayLike, sample_rate: float) -> None:
        self._samples: npt.NDArray[Any] = np.asarray(samples)
        self.sample_rate = checked_sample_rate(sample_rate)
        frames = len(self._samples) if self._samples.ndim else 0
        self.duration: float | None = frames / self.sample_rate

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """The samples from the first to the last: mono [samples], -1..1.

        Raises AudioContentError if they are no audio, when it comes to them.
        """
        samples = self._samples
        if samples.ndim not in (1, 2) or samples.size <= _BLOCK_SAMPLES:
            yield to_mono(samples)
            return
        # In blocks of about one length, and not shorter than wide: what has more channels than
        # samples looks transposed.
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        number = min(-(-samples.size // _BLOCK_SAMPLES), max(len(samples) // channels, 1))
        edges = np.linspace(0, len(samples), number + 1).astype(int).tolist()
        for begin, end in pairwise(edges):
            yield to_mono(samples[begin:end])
