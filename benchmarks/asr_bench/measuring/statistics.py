"""From samples to the figures of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # what is measured with needs more than what was measured
    from asr_bench.model_forms.latency import Cell

#: A row whose 95th percentile is above so many medians was disturbed.
NOISE_LIMIT = 1.5


@dataclass(frozen=True)
class Row:
    """One backend at one thread count and duration.

    Attributes:
        model: name.
        backend: name.
        threads: of the backend.
        duration: seconds of audio.
        median_ms: latency in milliseconds, as are the next two.
        p95_ms: 95th percentile, interpolated.
        min_ms: the least.
        real_time_factor: median latency over duration.
        ratio_to_eager: median over the rounds of this latency over eager PyTorch's.
        gflops: 10^9 floating-point operations a second, at the median.
        sgemm_fraction: median over the rounds of the operation rate over the matrix product's.
        noisy: whether the samples scatter too much to be trusted, or the machine had no core free.
        samples_ms: every sample, in the order of the rounds.
    """

    model: str
    backend: str
    threads: int
    duration: float
    median_ms: float
    p95_ms: float
    min_ms: float
    real_time_factor: float
    ratio_to_eager: float
    gflops: float
    sgemm_fraction: float
    noisy: bool
    samples_ms: tuple[float, ...]


def summarise(cell: Cell, *, overloaded: bool = False) -> list[Row]:
    """A row for each backend; the first backend is the reference, eager PyTorch.

    On an overloaded machine even samples that agree with each other are those of a slower one.
    """
    reference = np.array(next(iter(cell.latencies.values())))
    sgemm = np.array(cell.sgemm[faster_engine(cell)])
    rows = []
    for backend, seconds in cell.latencies.items():
        latency = np.array(seconds)
        median, p95 = _median_and_p95(latency)
        rows.append(
            Row(
                model=cell.model,
                backend=backend,
                threads=cell.threads,
                duration=cell.duration,
                median_ms=1e3 * median,
                p95_ms=1e3 * p95,
                min_ms=1e3 * float(latency.min()),
                real_time_factor=median / cell.duration,
                ratio_to_eager=paired_ratio(latency, reference),
                gflops=cell.operations / median / 1e9,
                sgemm_fraction=_median(cell.operations / latency / sgemm),
                noisy=overloaded or scattered(latency),
                samples_ms=tuple(1e3 * value for value in seconds),
            )
        )
    return rows


def paired_ratio(
    values: Sequence[float] | np.ndarray, reference: Sequence[float] | np.ndarray
) -> float:
    """Median over the rounds of ``values`` over ``reference``, both one a round."""
    # Within a round the machine is in one state: ratios first, then their median.
    return _median(np.asarray(values) / np.asarray(reference))


def scattered(samples: Sequence[float] | np.ndarray) -> bool:
    """Whether they scatter too much to be trusted."""
    median, p95 = _median_and_p95(samples)
    return p95 > NOISE_LIMIT * median


def faster_engine(cell: Cell) -> str:
    """The engine whose matrix product counts: the higher median."""
    return max(cell.sgemm, key=lambda engine: _median(cell.sgemm[engine]))


def sgemm_rates(cells: Sequence[Cell], threads: int) -> dict[str, float]:
    """Median GFLOP/s of each engine at so many threads over all ``cells``, the fastest first."""
    pooled: dict[str, list[float]] = {}
    for cell in cells:
        if cell.threads == threads:
            for engine, values in cell.sgemm.items():
                pooled.setdefault(engine, []).extend(values)
    medians = {engine: _median(values) / 1e9 for engine, values in pooled.items()}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))


def _median_and_p95(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    median, p95 = np.percentile(values, (50, 95))
    return float(median), float(p95)


def _median(values: Sequence[float] | np.ndarray) -> float:
    return float(np.median(values))
