"""From samples as people have them to the mono float32 that the model takes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.errors import AudioContentError

MINIMUM_SECONDS = 0.05
"""Shorter than any word; a shorter input is a mistake upstream."""

LARGEST_FLOAT_PEAK = 16.0
"""Float audio is -1..1, and clipped mixes stay below this; beyond it the samples are integers."""

SAMPLE_RATES = (1_000, 768_000)
"""Hz, the range that recorders and their files have."""


@dataclass(frozen=True)
class Waveform:
    """Mono samples at the model's rate [samples], and the length of the original in seconds."""

    samples: npt.NDArray[np.float32]
    duration: float


def to_waveform(samples: npt.ArrayLike, sample_rate: float, target_rate: int) -> Waveform:
    """Check samples, mix them down to mono and resample them.

    samples: [samples] or [samples, channels]; float -1..1, or uint8 (offset by 128), int8, int16 or
        int32, which are scaled by their range. Channels are averaged.
    sample_rate, target_rate: samples a second.

    Raises AudioContentError if they are no audio; see the module's constants for the limits.
    """
    rate = checked_sample_rate(sample_rate)
    mono = to_mono(samples)
    duration = len(mono) / rate
    check_duration(duration)
    return Waveform(_resampled(mono, rate, target_rate), duration)


def to_mono(samples: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Samples as `to_waveform` takes them, checked, scaled to -1..1 and mixed down [samples].

    They may be none at all. Raises AudioContentError if they are no audio.
    """
    mono = _mixed(np.asarray(samples))
    if not np.isfinite(mono).all():
        raise AudioContentError("it contains NaN or infinite samples; repair what produced it")
    peak = float(np.abs(mono).max(initial=0))
    if peak > LARGEST_FLOAT_PEAK:
        raise AudioContentError(
            f"float samples reach {peak:.6g} where -1 to 1 is expected; "
            "looks like integer samples, divide by 32768"
        )
    return mono


def check_duration(seconds: float) -> None:
    """Raise AudioContentError for no audio, and for audio that is too short to be meant."""
    if not seconds:
        raise AudioContentError("it contains no audio samples; give a recording that has some")
    if seconds < MINIMUM_SECONDS:
        raise AudioContentError(
            f"it is {seconds:.4f} s long and at least {MINIMUM_SECONDS} s is needed; "
            "give a longer recording"
        )


def checked_sample_rate(sample_rate: float) -> float:
    """`sample_rate` in Hz if it is one, else AudioContentError."""
    lowest, highest = SAMPLE_RATES
    try:
        rate = math.nan if isinstance(sample_rate, bool) else float(sample_rate)
    except (TypeError, ValueError):
        rate = math.nan
    if not lowest <= rate <= highest:
        raise AudioContentError(
            f"the sample rate {sample_rate!r} is not within {lowest} to {highest} Hz; "
            "give the rate it was recorded at"
        )
    return rate


def _mixed(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if samples.ndim not in (1, 2):
        raise AudioContentError(
            f"samples have the shape {list(samples.shape)}; give [samples] or [samples, channels]"
        )
    if samples.ndim == 2 and samples.shape[1] > max(samples.shape[0], 8):
        raise AudioContentError(
            f"samples have the shape {list(samples.shape)}, which looks like [channels, samples]; "
            "transpose them to [samples, channels]"
        )
    if samples.size == 0:
        return np.zeros(0, np.float32)
    scaled = to_float(samples)
    return scaled if scaled.ndim == 1 else scaled.mean(axis=1)


def to_float(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Samples of any shape at the scale of float audio, -1..1.

    Raises AudioContentError for a type whose scale is not known.
    """
    if np.issubdtype(samples.dtype, np.floating):
        # Half precision would lose what the average needs; values beyond float32 become infinite.
        with np.errstate(over="ignore"):
            return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    if samples.dtype.kind == "i" and samples.dtype.itemsize <= 4:
        return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    # int64 among them: it is what a list of 16-bit values becomes, and scaled by its own range that
    # would be silence.
    raise AudioContentError(
        f"{samples.dtype} samples have no known scale; "
        "convert to float (-1 to 1), int16, int32 or uint8"
    )


def _resampled(
    mono: npt.NDArray[np.float32], rate: float, target_rate: int
) -> npt.NDArray[np.float32]:
    if rate == target_rate:
        return np.ascontiguousarray(mono)
    import soxr  # type: ignore[import-untyped, unused-ignore]

    resampled = soxr.resample(mono, rate, target_rate, quality="HQ")
    return np.ascontiguousarray(resampled, dtype=np.float32)
