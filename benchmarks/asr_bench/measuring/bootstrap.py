"""How far a median or a rate may be off: intervals by drawing the samples again, with replacement.

Samples that belong together, because they were taken in one round or are of one recording, are
drawn together: what was shared cancels out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Samples = Sequence[float] | Values

RESAMPLES = 2000
CONFIDENCE = 0.95

_BLOCK = 1_000_000  # numbers held at a time


@dataclass(frozen=True)
class Interval:
    """Bounds between which the true value lies, with the confidence that was asked for."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of its width, in the unit of the value."""
        return (self.high - self.low) / 2


class Resamples:
    """Rounds drawn with replacement, ``RESAMPLES`` times over.

    All sequences of one length get the same draws, so samples at one index stay together.

    Args:
        seed: Numbers that decide on the draws.
    """

    def __init__(self, *seed: int) -> None:
        self._seed = seed

    def medians(self, samples: Samples) -> Values:
        """Return the median of every draw, float64 [RESAMPLES]."""
        values = np.asarray(samples, np.float64)
        return np.concatenate(
            [np.median(values[drawn], axis=1) for drawn in self._draws(len(values))]
        )

    def sums(self, samples: Samples) -> Values:
        """Return the sum of every draw, float64 [RESAMPLES]."""
        values = np.asarray(samples, np.float64)
        return np.concatenate([values[drawn].sum(axis=1) for drawn in self._draws(len(values))])

    def stretch_medians(self, samples: Samples, length: int) -> Values:
        """Return medians of stretches of ``length`` neighbouring samples, float64 [RESAMPLES].

        They tell what may be the case at some other time, when all that is known is how samples
        wander over a whole run.
        """
        values = np.asarray(samples, np.float64)
        length = min(length, len(values))
        medians = np.median(np.lib.stride_tricks.sliding_window_view(values, length), axis=1)
        generator = np.random.default_rng([*self._seed, len(values)])
        drawn: Values = medians[generator.integers(len(medians), size=RESAMPLES)]
        return drawn

    def _draws(self, number: int) -> Iterator[npt.NDArray[np.int64]]:
        # In blocks: the chunks of an hour of streams are many.
        generator = np.random.default_rng([*self._seed, number])
        left, block = RESAMPLES, max(1, _BLOCK // number)
        while left > 0:
            size = min(block, left)
            yield generator.integers(number, size=(size, number))
            left -= size


def interval(draws: Values, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval that holds the middle of the drawn values."""
    low, high = np.quantile(draws, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Interval(float(low), float(high))


def median_interval(samples: Samples, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of the median of one or more samples, [n]."""
    return interval(Resamples(0).medians(samples), confidence)


def paired_ratio(values: Samples, reference: Samples) -> float:
    """Return the median over the rounds of one time over another, both [rounds].

    Within a round the machine is in one state, so ratios come first, then their median.
    """
    return float(np.median(np.asarray(values) / np.asarray(reference)))


def paired_ratio_interval(
    values: Samples, reference: Samples, confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of ``paired_ratio`` of two times, both [rounds]."""
    return median_interval(np.asarray(values) / np.asarray(reference), confidence)


def rate_interval(
    recordings: Sequence[tuple[int, int]], confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of a rate over one or more recordings, each (errors, words)."""
    return interval(_rates(recordings), confidence)


def rate_difference_interval(
    before: Sequence[tuple[int, int]],
    after: Sequence[tuple[int, int]],
    confidence: float = CONFIDENCE,
) -> Interval:
    """Return the interval of the rate of ``after`` less that of ``before``.

    Both are (errors, words) of the same recordings in the same order.
    """
    return interval(_rates(after) - _rates(before), confidence)


def _rates(recordings: Sequence[tuple[int, int]]) -> Values:
    errors, words = np.array(recordings, np.float64).T
    rounds = Resamples(0)
    # A draw may hold only recordings of no words.
    return rounds.sums(errors) / np.maximum(rounds.sums(words), 1)
