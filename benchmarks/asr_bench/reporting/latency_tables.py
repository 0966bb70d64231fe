"""The tables of a run's single utterances: latency, what threads gain, formats side by side."""

from __future__ import annotations

from asr_bench.reporting.figures import (
    at,
    cpu_factor,
    fraction,
    latency_warnings,
    measured,
    median,
    operations,
    percentile,
    ratio,
    real_time_factor,
    speedup,
    typical,
)
from asr_bench.reporting.table import (
    Row,
    Table,
    estimate,
    number,
    plural,
    reliability,
    table,
    text,
)
from asr_bench.results import EngineResult, Latency, Results

INTERVAL_NOTE = "95 %: the interval of the figure before it, by bootstrap over rounds or recordings"


def formats(results: Results) -> Table:
    """Return what each format of a model costs and keeps, compared with the first."""
    shown = typical(results)
    rows = [engine for engine in measured(results) if engine.deviation is not None]
    first = next(iter(rows), None)

    def row(engine: EngineResult) -> Row:
        timed, words = shown.get(engine.name), engine.accuracy
        deviation, size = engine.deviation, engine.model_bytes
        assert first is not None
        assert deviation is not None
        return [
            text("engine", engine.name),
            number("file MB", size, ".2f", 1e-6),
            number("size / first", size and size / (first.model_bytes or size), ".2f"),
            number("RTF", real_time_factor(timed).value if timed else None, ".4f"),
            *estimate("time / first", ratio(timed, at(first, timed)) if timed else None, ".2f"),
            number("peak MB", (timed.peak_rss or None) if timed else None, ".0f", 1e-6),
            number("WER %", words.word_error_rate if words else None, ".2f", 100),
            number("same texts %", deviation.same_texts, ".1f", 100),
            number("max |d|", deviation.max_difference, ".1e"),
            number("mean |d|", deviation.mean_difference, ".1e"),
            reliability(latency_warnings(timed, results) if timed else ()),
        ]

    notes: list[str] = []
    if first is not None and first.deviation is not None:
        recordings = first.deviation.recordings
        on = plural(recordings, "recording") if recordings else "a generated signal"
        notes = [
            f"/ first: over {first.name}, of times the median of the ratios within a round",
            f"|d|: absolute difference of a log-probability from {first.deviation.reference}, the "
            f"checkpoint in float32, on {on}; same texts: as with it, decoded greedily",
        ]
    return table("Formats", 1, map(row, rows), notes)


def latency(results: Results) -> Table:
    """Return one utterance at a time, setting by setting."""
    first = next(iter(measured(results)), None)
    rates = results.rooflines

    def row(engine: EngineResult, timed: Latency) -> Row:
        wall, threads = median(timed.wall), timed.threads
        work = operations(engine, timed.duration)
        gigabytes = engine.model_bytes and engine.model_bytes / 1e9
        of_sgemm = fraction(work, wall.value, rates.sgemm_gflops.get(threads))
        of_copy = fraction(gigabytes, wall.value, rates.memory_copy_gbytes.get(threads))
        cold = timed.warmup_wall[0] / wall.value if timed.warmup_wall else None
        return [
            text("engine", engine.name),
            number("audio s", timed.duration, "g"),
            number("threads", threads, "d"),
            *estimate("median ms", wall, ".1f", 1e3),
            number("min ms", min(timed.wall), ".1f", 1e3),
            *(number(f"p{p} ms", percentile(timed.wall, p), ".1f", 1e3) for p in (90, 95, 99)),
            number("RTF", wall.value / timed.duration, ".4f"),
            number("CPU RTF", cpu_factor(timed), ".4f"),
            *estimate("/ first", ratio(timed, at(first, timed)) if first else None, ".2f"),
            number("warm-up", cold, ".1f"),
            number("peak MB", timed.peak_rss or None, ".0f", 1e-6),
            number("GPU peak MB", timed.peak_gpu_memory, ".0f", 1e-6),
            number("GFLOP/s", work / wall.value if work and wall.value else None, ".1f"),
            number("% of sgemm", of_sgemm, ".0f", 100),
            number("% of copy", of_copy, ".1f", 100),
            reliability(latency_warnings(timed, results)),
        ]

    over_first = (
        [f"/ first: over the time of {first.name}, the median of the ratios within a round"]
        if first
        else []
    )
    return table(
        "Latency",
        1,
        (row(engine, timed) for engine in measured(results) for timed in engine.latency),
        (
            INTERVAL_NOTE,
            *over_first,
            "warm-up: the first run of the process over the median",
            "% of sgemm: operations a second over a large fp32 matrix product's; % of copy: the "
            "model's bytes, read once, a second over those that a memory copy moves",
            "reliability: why a row should not be trusted; nothing where nothing speaks against it",
        ),
    )


def scaling(results: Results) -> Table:
    """Return what more threads gain."""
    rows = (
        [
            text("engine", engine.name),
            number("audio s", row.duration, "g"),
            number("threads", row.threads, "d"),
            *estimate("speed-up", gain, ".2f"),
            reliability(latency_warnings(row, results)),
        ]
        for engine in measured(results)
        for row in engine.latency
        if (gain := speedup(engine, row)) is not None
    )
    notes = ("speed-up: the median on the fewest threads over the median on these",)
    return table("Thread scaling", 1, rows, notes)
