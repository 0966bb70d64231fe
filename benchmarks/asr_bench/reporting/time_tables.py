"""The tables of what was timed, setting by setting."""

from __future__ import annotations

from asr_bench.reporting.rows import Summary
from asr_bench.reporting.table import Table, estimate, number, text

#: Left out of a table where no engine took any.
GPU_MEMORY = "GPU peak MB"

_INTERVAL = "95 %: the interval of the figure before it, by bootstrap over the rounds"
_DOUBTS = "reliability: why a row should not be trusted; nothing where nothing speaks against it"


def latency(summary: Summary) -> Table:
    """One row a setting."""
    rows = tuple(
        (
            text(row.engine),
            number(row.duration, "g"),
            number(row.threads, "d"),
            *estimate(row.median, ".1f", 1e3),
            number(row.p90, ".1f", 1e3),
            number(row.p95, ".1f", 1e3),
            number(row.p99, ".1f", 1e3),
            number(row.real_time_factor.value, ".4f"),
            number(row.cpu_real_time_factor, ".4f"),
            *estimate(row.ratio, ".2f"),
            number(row.warmup, ".1f"),
            number(row.peak_rss, ".0f", 1e-6),
            number(row.peak_gpu_memory, ".0f", 1e-6),
            number(row.sgemm_fraction, ".0f", 100),
            number(row.copy_fraction, ".1f", 100),
            text("; ".join(row.doubts)),
        )
        for row in summary.latency
    )
    header = (
        "engine",
        "audio s",
        "threads",
        "median ms",
        "95 %",
        "p90 ms",
        "p95 ms",
        "p99 ms",
        "RTF",
        "CPU RTF",
        "/ first",
        "95 %",
        "warm-up",
        "peak MB",
        GPU_MEMORY,
        "% of sgemm",
        "% of copy",
        "reliability",
    )
    first = summary.latency[0].engine if summary.latency else ""
    return Table(
        "Latency",
        header,
        1,
        rows,
        (
            _INTERVAL,
            f"/ first: over the time of {first}, the median of the ratios within a round",
            "warm-up: the first run of the process over the median",
            "% of sgemm: operations a second over a large fp32 matrix product's; % of copy: the "
            "model's bytes, read once, a second over those that a memory copy moves",
            _DOUBTS,
        ),
    ).without_empty(GPU_MEMORY)


def scaling(summary: Summary) -> Table:
    """What more threads gain."""
    rows = tuple(
        (
            text(row.engine),
            number(row.duration, "g"),
            number(row.threads, "d"),
            *estimate(row.speedup, ".2f"),
            text("; ".join(row.doubts)),
        )
        for row in summary.latency
        if row.speedup is not None
    )
    header = ("engine", "audio s", "threads", "speed-up", "95 %", "reliability")
    return Table(
        "Thread scaling",
        header,
        1,
        rows,
        ("speed-up: the median on the fewest threads over the median on these",),
    )


def cold_start(summary: Summary) -> Table:
    """Where the time until the first text goes."""
    rows = tuple(
        (
            text(row.engine),
            *estimate(row.total, ".3f"),
            number(row.other, ".3f"),
            number(row.imports, ".3f"),
            number(row.load, ".3f"),
            number(row.first, ".3f"),
            text("; ".join(row.doubts)),
        )
        for row in summary.cold_start
    )
    header = (
        "engine",
        "total s",
        "95 %",
        "Python s",
        "import s",
        "load s",
        "first s",
        "reliability",
    )
    return Table(
        "Cold start",
        header,
        1,
        rows,
        ("medians over fresh processes, so the parts need not add up; files may be in the cache",),
    )


def throughput(summary: Summary) -> Table:
    """Batches."""
    rows = tuple(
        (
            text(row.engine),
            number(row.batch_size, "d"),
            number(row.duration, "g"),
            number(row.threads, "d"),
            *estimate(row.rate, ".0f"),
            number(row.p95, ".0f", 1e3),
            text("; ".join(row.doubts)),
        )
        for row in summary.throughput
    )
    header = (
        "engine",
        "batch",
        "audio s",
        "threads",
        "audio s / s",
        "95 %",
        "p95 ms",
        "reliability",
    )
    return Table("Throughput", header, 1, rows, ("audio s / s: seconds of audio in a second",))


def streaming(summary: Summary) -> Table:
    """Live streams."""
    rows = tuple(
        (
            text(row.engine),
            number(row.chunk_ms, "g"),
            number(row.lookahead_ms, "g"),
            *estimate(row.chunk, ".2f", 1e3),
            number(row.chunk_p95, ".2f", 1e3),
            number(row.load, ".2f", 100),
            number(row.finish.value, ".2f", 1e3),
            number(row.finish_p95, ".2f", 1e3),
            text("; ".join(row.doubts)),
        )
        for row in summary.streaming
    )
    header = (
        "engine",
        "chunk ms",
        "look-ahead ms",
        "computing ms",
        "95 %",
        "p95 ms",
        "% of chunk",
        "end ms",
        "p95 ms",
        "reliability",
    )
    return Table(
        "Streams",
        header,
        1,
        rows,
        ("computing: of a chunk, on one thread; end: from the last sample to the last text",),
    )
