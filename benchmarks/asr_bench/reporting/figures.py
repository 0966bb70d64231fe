"""From the samples of a run to figures with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr_bench.measuring.bootstrap import (
    Interval,
    Resamples,
    interval,
    median_interval,
    paired_ratio,
    paired_ratio_interval,
    rate_interval,
)
from asr_bench.measuring.reliability import machine_warnings, reliability_warnings
from asr_bench.results import EngineResult, Latency, Results, Seconds


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    interval: Interval

    def scaled(self, factor: float) -> Estimate:
        """Return it in another unit."""
        low, high = factor * self.interval.low, factor * self.interval.high
        return Estimate(factor * self.value, Interval(low, high))


def median(samples: Seconds) -> Estimate:
    """Return the median of one or more samples."""
    return Estimate(float(np.median(samples)), median_interval(samples))


def percentile(samples: Seconds, percent: float) -> float:
    """Return a percentile, interpolated."""
    return float(np.percentile(samples, percent))


def real_time_factor(timed: Latency) -> Estimate:
    """Return the median wall time over the audio's length."""
    return median(timed.wall).scaled(1 / timed.duration)


def cpu_factor(timed: Latency) -> float:
    """Return the median CPU time of all cores over the audio's length."""
    return float(np.median(timed.cpu)) / timed.duration


def error_rate(per_recording: Sequence[tuple[int, int]]) -> Estimate | None:
    """Return the errors over the words of recordings, each (errors, words); None of no words."""
    errors, words = (sum(pair[index] for pair in per_recording) for index in (0, 1))
    return Estimate(errors / words, rate_interval(per_recording)) if words else None


def word_error_rate(engine: EngineResult) -> Estimate | None:
    """Return the word error rate of whole recordings; None where none was counted."""
    accuracy = engine.accuracy
    if accuracy is None:
        return None
    rate = accuracy.word_error_rate
    return error_rate(accuracy.per_recording) or Estimate(rate, Interval(rate, rate))


def at(engine: EngineResult, like: Latency) -> Latency | None:
    """Return the engine's latency at the duration and threads of another entry."""
    return _timed(engine, like.duration, like.threads)


def _timed(engine: EngineResult, duration: float, threads: int) -> Latency | None:
    settings = {(row.duration, row.threads): row for row in engine.latency}
    return settings.get((duration, threads))


def ratio(row: Latency, reference: Latency | None) -> Estimate | None:
    """Return the median over the rounds of one time over another; None without common rounds."""
    if reference is None or len(reference.wall) != len(row.wall) or not all(reference.wall):
        return None
    return Estimate(
        paired_ratio(row.wall, reference.wall), paired_ratio_interval(row.wall, reference.wall)
    )


def speedup(engine: EngineResult, row: Latency) -> Estimate | None:
    """Return the median on the fewest threads over the median of ``row``; None on the fewest."""
    least = min(other.threads for other in engine.latency)
    alone = _timed(engine, row.duration, least)
    if row.threads == least or alone is None:
        return None
    # The two were not measured in the same rounds, so they are not paired.
    draws = Resamples(0).medians(alone.wall) / Resamples(1).medians(row.wall)
    return Estimate(float(np.median(alone.wall) / np.median(row.wall)), interval(draws))


def fraction(work: float | None, seconds: float, peak: Seconds | None) -> float | None:
    """Return the share of a machine's median rate that work in a time reached."""
    if not work or not peak or not seconds:
        return None
    return work / seconds / float(np.median(peak))


def operations(engine: EngineResult, duration: float) -> float | None:
    """Return 10^9 floating-point operations for so many seconds of audio; None where unknown."""
    rate = engine.operations_per_second_of_audio
    return rate * duration / 1e9 if rate else None


def latency_warnings(row: Latency, results: Results) -> tuple[str, ...]:
    """Return why a latency should not be trusted."""
    machine = machine_warnings(results.environment)
    marked = row.noisy and not machine
    return (*reliability_warnings(row.wall, marked=marked), *machine)


def typical(results: Results) -> dict[str, Latency]:
    """Return the longest audio on the fewest threads of each engine, by its name."""
    return {
        engine.name: min(engine.latency, key=lambda row: (row.threads, -row.duration))
        for engine in measured(results)
        if engine.latency
    }


def measured(results: Results) -> list[EngineResult]:
    """Return the engines that were not skipped."""
    return [engine for engine in results.engines if engine.skipped is None]
