"""The figures of a run, a class for each table."""

from __future__ import annotations

from dataclasses import dataclass

from asr_bench.measuring.bootstrap import Interval
from asr_bench.results import Kind


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class LatencyRow:
    """One utterance at a time; seconds unless said.

    Attributes:
        engine: name.
        kind: of the engine.
        duration: of the audio.
        threads: of the engine.
        median: half of the runs took no longer.
        p90: nine of ten, interpolated; p95 and p99 likewise.
        p95: see p90.
        p99: see p90.
        real_time_factor: median over duration.
        cpu_real_time_factor: median CPU time of all cores over duration.
        ratio: median over the rounds of these times over the first engine's in the same round;
            None if that has not this setting.
        warmup: the first run over the median; None without warm-up.
        speedup: median on the fewest threads over this one; None there.
        sgemm_fraction: operations a second over the matrix product's; None where unknown.
        copy_fraction: the model's bytes, read once, a second over those copied; None likewise.
        peak_rss: bytes; None where unknown.
        peak_gpu_memory: likewise.
        doubts: why the samples should not be trusted.
    """

    engine: str
    kind: Kind
    duration: float
    threads: int
    median: Estimate
    p90: float
    p95: float
    p99: float
    real_time_factor: Estimate
    cpu_real_time_factor: float
    ratio: Estimate | None
    warmup: float | None
    speedup: Estimate | None
    sgemm_fraction: float | None
    copy_fraction: float | None
    peak_rss: int | None
    peak_gpu_memory: int | None
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class ColdStartRow:
    """From process start to the first text: medians in seconds; ``other`` is Python's own start."""

    engine: str
    kind: Kind
    total: Estimate
    other: float
    imports: float
    load: float
    first: float
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class ThroughputRow:
    """``rate``: seconds of audio a second, at the median time of a batch."""

    engine: str
    kind: Kind
    batch_size: int
    threads: int
    duration: float
    rate: Estimate
    p95: float
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class StreamingRow:
    """Seconds of computing for a chunk, its part of the chunk's length, and of the stream's end."""

    engine: str
    kind: Kind
    chunk_ms: float
    lookahead_ms: float
    chunk: Estimate
    chunk_p95: float
    load: float
    finish: Estimate
    finish_p95: float
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class EngineRow:
    """What an engine is, takes and gives, whatever the setting.

    Attributes:
        engine: name.
        kind: of the engine.
        model: name.
        version: of the engine.
        model_bytes: see ``EngineResult``, as install_bytes and skipped.
        install_bytes: see model_bytes.
        word_error_rate: of the manifest's recordings; None without.
        real_time_factor: of these recordings, wall time; None likewise.
        cpu_real_time_factor: CPU time.
        skipped: see model_bytes.
    """

    engine: str
    kind: Kind
    model: str
    version: str
    model_bytes: int | None
    install_bytes: int | None
    word_error_rate: Estimate | None
    real_time_factor: float | None
    cpu_real_time_factor: float | None
    skipped: str | None


@dataclass(frozen=True)
class Summary:
    """All rows, in the order of the results."""

    engines: tuple[EngineRow, ...]
    latency: tuple[LatencyRow, ...]
    cold_start: tuple[ColdStartRow, ...]
    throughput: tuple[ThroughputRow, ...]
    streaming: tuple[StreamingRow, ...]
