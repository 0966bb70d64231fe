"""Samples as people have them: their types, shapes, scales and rates, checked."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from asr_runtime.errors import AudioContentError

Frames: TypeAlias = npt.NDArray[np.float32]
"""Samples of all channels [samples, channels], -1..1."""

Mono: TypeAlias = npt.NDArray[np.float32]
"""Samples of one channel [samples], -1..1."""

MINIMUM_SECONDS = 0.05
"""Shorter than any word; a shorter input is a mistake upstream."""

LARGEST_FLOAT_PEAK = 16.0
"""Float audio is -1..1, and clipped mixes stay below this; beyond it the samples are integers."""

SAMPLE_RATES = (1_000, 768_000)
"""Hz, the range that recorders and their files have."""


def to_frames(samples: npt.ArrayLike) -> Frames:
    """Check samples and scale them.

    Args:
        samples: [samples] or [samples, channels]; float -1..1, or uint8 (offset by 128), int8,
            int16 or int32, which are scaled by their range. They may be none at all.

    Returns:
        float32 [samples, channels], -1..1.

    Raises:
        AudioContentError: They are no audio.
    """
    array = np.asarray(samples)
    if array.ndim not in (1, 2):
        raise AudioContentError(
            f"samples have the shape {list(array.shape)}; give [samples] or [samples, channels]"
        )
    if array.ndim == 2 and array.shape[1] > max(array.shape[0], 8):
        raise AudioContentError(
            f"samples have the shape {list(array.shape)}, which looks like [channels, samples]; "
            "transpose them to [samples, channels]"
        )
    if array.size == 0:
        return np.zeros((0, 1), np.float32)
    frames = to_float(array)
    check_values(frames)
    return frames[:, None] if frames.ndim == 1 else frames


def check_values(samples: npt.NDArray[np.float32]) -> None:
    """Check samples of any shape.

    Raises:
        AudioContentError: Some are not finite, or they reach too far for float audio.
    """
    if not np.isfinite(samples).all():
        raise AudioContentError("it contains NaN or infinite samples; repair what produced it")
    peak = max(float(samples.max(initial=0)), -float(samples.min(initial=0)))
    if peak > LARGEST_FLOAT_PEAK:
        raise AudioContentError(
            f"float samples reach {peak:.6g} where -1 to 1 is expected; "
            "looks like integer samples, divide by 32768"
        )


def check_duration(seconds: float) -> None:
    """Check the length of audio in seconds.

    Raises:
        AudioContentError: It is none, or too short to be meant.
    """
    if not seconds:
        raise AudioContentError("it contains no audio samples; give a recording that has some")
    if seconds < MINIMUM_SECONDS:
        raise AudioContentError(
            f"it is {seconds:.4f} s long and at least {MINIMUM_SECONDS} s is needed; "
            "give a longer recording"
        )


def checked_sample_rate(sample_rate: float) -> float:
    """Return a sample rate in Hz.

    Raises:
        AudioContentError: It is none.
    """
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


def to_float(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return samples of any shape at the scale of float audio, -1..1.

    Raises:
        AudioContentError: The scale of their type is not known.
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
