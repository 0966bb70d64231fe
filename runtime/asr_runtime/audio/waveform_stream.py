"""Samples as they come, in pieces of any size, to the mono float32 that the model takes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.waveform import checked_sample_rate, to_mono


class WaveformStream:
    """Mixes down and resamples endless audio; the result does not depend on how it is divided.

    It is the one that `to_waveform` gives for the whole. Where the rates differ, some 30 ms stay in
    the resampler until more samples or the end come.

    sample_rate, target_rate: samples a second.

    Raises AudioContentError for a sample rate that is none.
    """

    def __init__(self, sample_rate: float, target_rate: int) -> None:
        self._rate = checked_sample_rate(sample_rate)
        self._samples = 0
        self._resampler: Any = None
        if self._rate != target_rate:
            import soxr  # type: ignore[import-untyped, unused-ignore]

            self._resampler = soxr.ResampleStream(
                self._rate, target_rate, 1, dtype="float32", quality="HQ"
            )

    @property
    def duration(self) -> float:
        """Seconds of all samples so far."""
        return self._samples / self._rate

    def feed(self, samples: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The next samples, as `to_waveform` takes them, to mono ones at the target rate.

        Raises AudioContentError for samples that are no audio; they are left out, and the stream
        can go on.
        """
        mono = to_mono(samples)
        self._samples += len(mono)
        return mono if self._resampler is None else self._resampled(mono)

    def finish(self) -> npt.NDArray[np.float32]:
        """What is left at the target rate when the audio ends."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._resampler is None else self._resampled(nothing, last=True)

    def _resampled(
        self, mono: npt.NDArray[np.float32], *, last: bool = False
    ) -> npt.NDArray[np.float32]:
        resampled: npt.NDArray[np.float32] = self._resampler.resample_chunk(mono, last=last)
        return resampled
