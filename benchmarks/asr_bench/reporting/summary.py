"""From the samples of a run to the figures of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from asr_bench.measuring.bootstrap import (
    Interval,
    Rounds,
    interval,
    median_interval,
    paired_ratio_interval,
    rate_interval,
)
from asr_bench.measuring.reliability import doubts, machine_doubts
from asr_bench.measuring.statistics import paired_ratio
from asr_bench.reporting.rows import (
    ColdStartRow,
    EngineRow,
    Estimate,
    LatencyRow,
    StreamingRow,
    Summary,
    ThroughputRow,
)
from asr_bench.results import Accuracy, EngineResult, Latency, Results, Seconds


def summarise(results: Results) -> Summary:
    """The figures of a run."""
    machine = machine_doubts(results.environment)
    measured = [engine for engine in results.engines if engine.skipped is None]
    return Summary(
        engines=tuple(_engine(engine) for engine in results.engines),
        latency=tuple(
            row for engine in measured for row in _latencies(engine, measured[0], results, machine)
        ),
        cold_start=tuple(_cold_start(one, machine) for one in measured if one.cold_start),
        throughput=tuple(row for engine in measured for row in _throughputs(engine, machine)),
        streaming=tuple(row for engine in measured for row in _streams(engine, machine)),
    )


def _engine(engine: EngineResult) -> EngineRow:
    found = engine.accuracy
    return EngineRow(
        engine=engine.name,
        kind=engine.kind,
        model=engine.model,
        version=engine.version,
        model_bytes=engine.model_bytes,
        install_bytes=engine.install_bytes,
        word_error_rate=_word_error_rate(found) if found else None,
        real_time_factor=found.wall / found.audio if found and found.audio else None,
        cpu_real_time_factor=found.cpu / found.audio if found and found.audio else None,
        skipped=engine.skipped,
    )


def _word_error_rate(found: Accuracy) -> Estimate:
    if not found.per_recording:
        return Estimate(
            found.word_error_rate, Interval(found.word_error_rate, found.word_error_rate)
        )
    return Estimate(found.word_error_rate, rate_interval(found.per_recording))


def _latencies(
    engine: EngineResult, first: EngineResult, results: Results, machine: tuple[str, ...]
) -> Iterator[LatencyRow]:
    references = {(row.duration, row.threads): row for row in first.latency}
    least = min((row.threads for row in engine.latency), default=1)
    alone = {row.duration: row for row in engine.latency if row.threads == least}
    for row in engine.latency:
        wall = median(row.wall)
        p90, p95, p99 = (float(value) for value in np.percentile(row.wall, (90, 95, 99)))
        slowest = alone.get(row.duration)
        operations = engine.operations_per_second_of_audio
        rooflines = results.rooflines
        yield LatencyRow(
            engine=engine.name,
            kind=engine.kind,
            duration=row.duration,
            threads=row.threads,
            median=wall,
            p90=p90,
            p95=p95,
            p99=p99,
            real_time_factor=_scaled(wall, 1 / row.duration),
            cpu_real_time_factor=float(np.median(row.cpu)) / row.duration,
            ratio=_ratio(row, references.get((row.duration, row.threads))),
            warmup=row.warmup_wall[0] / wall.value if row.warmup_wall else None,
            speedup=_speedup(slowest, row) if slowest and row.threads > least else None,
            sgemm_fraction=_fraction(
                operations and operations * row.duration / 1e9,
                wall.value,
                rooflines.sgemm_gflops.get(row.threads),
            ),
            copy_fraction=_fraction(
                engine.model_bytes and engine.model_bytes / 1e9,
                wall.value,
                rooflines.memory_copy_gbytes.get(row.threads),
            ),
            peak_rss=row.peak_rss or None,
            peak_gpu_memory=row.peak_gpu_memory,
            doubts=(*doubts(row.wall, marked=row.noisy and not machine), *machine),
        )


def _ratio(row: Latency, reference: Latency | None) -> Estimate | None:
    if reference is None or len(reference.wall) != len(row.wall) or not all(reference.wall):
        return None
    return Estimate(
        paired_ratio(row.wall, reference.wall), paired_ratio_interval(row.wall, reference.wall)
    )


def _speedup(slowest: Latency, row: Latency) -> Estimate:
    # Other rounds, so not paired.
    draws = Rounds(0).medians(slowest.wall) / Rounds(1).medians(row.wall)
    return Estimate(float(np.median(slowest.wall) / np.median(row.wall)), interval(draws))


def _fraction(work: float | None, seconds: float, peak: Sequence[float] | None) -> float | None:
    if not work or not peak or not seconds:
        return None
    return work / seconds / float(np.median(peak))


def _cold_start(engine: EngineResult, machine: tuple[str, ...]) -> ColdStartRow:
    starts = engine.cold_start
    totals = tuple(start.total for start in starts)
    return ColdStartRow(
        engine=engine.name,
        kind=engine.kind,
        total=median(totals),
        other=float(np.median([one.total - one.import_ - one.load - one.first for one in starts])),
        imports=float(np.median([one.import_ for one in starts])),
        load=float(np.median([one.load for one in starts])),
        first=float(np.median([one.first for one in starts])),
        doubts=(*doubts(totals), *machine),
    )


def _throughputs(engine: EngineResult, machine: tuple[str, ...]) -> Iterator[ThroughputRow]:
    for row in engine.throughput:
        wall = median(row.wall)
        audio = row.batch_size * row.duration
        yield ThroughputRow(
            engine=engine.name,
            kind=engine.kind,
            batch_size=row.batch_size,
            threads=row.threads,
            duration=row.duration,
            rate=Estimate(
                audio / wall.value, Interval(audio / wall.interval.high, audio / wall.interval.low)
            ),
            p95=float(np.percentile(row.wall, 95)),
            doubts=(*doubts(row.wall), *machine),
        )


def _streams(engine: EngineResult, machine: tuple[str, ...]) -> Iterator[StreamingRow]:
    for row in engine.streaming:
        if row.chunk_seconds and row.finish_seconds:
            chunk = median(row.chunk_seconds)
            yield StreamingRow(
                engine=engine.name,
                kind=engine.kind,
                chunk_ms=row.chunk_ms,
                lookahead_ms=row.lookahead_ms,
                chunk=chunk,
                chunk_p95=float(np.percentile(row.chunk_seconds, 95)),
                load=1000 * chunk.value / row.chunk_ms,
                finish=median(row.finish_seconds),
                finish_p95=float(np.percentile(row.finish_seconds, 95)),
                doubts=(
                    *dict.fromkeys(
                        reason
                        for samples in (row.chunk_seconds, row.finish_seconds)
                        for reason in doubts(samples, alike=False)
                    ),
                    *machine,
                ),
            )


def median(samples: Seconds) -> Estimate:
    """Of one or more samples."""
    return Estimate(float(np.median(samples)), median_interval(samples))


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    low, high = estimate.interval.low, estimate.interval.high
    return Estimate(factor * estimate.value, Interval(factor * low, factor * high))
