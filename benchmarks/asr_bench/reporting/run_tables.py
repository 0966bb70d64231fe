"""The tables of a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from asr_bench.measuring.bootstrap import Interval
from asr_bench.measuring.reliability import machine_warnings, reliability_warnings
from asr_bench.reporting.figures import (
    Estimate,
    at,
    error_rate,
    fraction,
    latency_warnings,
    measured,
    median,
    operations,
    percentile,
    ratio,
    speedup,
    typical,
    word_error_rate,
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
from asr_bench.results import EngineResult, Latency, Results, Streaming

_INTERVAL = "95 %: the interval of the figure before it, by bootstrap over rounds or recordings"


def tables(results: Results) -> list[Table]:
    """Return all tables that have rows, the widest view first."""
    every = (
        engines(results),
        formats(results),
        latency(results),
        scaling(results),
        cold_start(results),
        throughput(results),
        streaming(results),
        models(results),
        rooflines(results),
        skipped(results),
    )
    return [one for one in every if one.rows]


def engines(results: Results) -> Table:
    """Return what each engine costs, and what it gets right."""
    shown, machine = typical(results), machine_warnings(results.environment)

    def row(engine: EngineResult) -> Row:
        timed = shown.get(engine.name)
        starts = tuple(start.total for start in engine.cold_start)
        return [
            text("engine", engine.name),
            text("version", engine.version),
            *estimate("WER %", word_error_rate(engine), ".2f", 100),
            *estimate("RTF", _real_time_factor(timed) if timed else None, ".4f"),
            number("CPU RTF", _cpu_factor(timed) if timed else None, ".4f"),
            number("cold start s", median(starts).value if starts else None, ".2f"),
            number("peak MB", (timed.peak_rss or None) if timed else None, ".0f", 1e-6),
            number("GPU peak MB", timed.peak_gpu_memory if timed else None, ".0f", 1e-6),
            number("model MB", engine.model_bytes, ".1f", 1e-6),
            number("installed MB", engine.install_bytes, ".0f", 1e-6),
            reliability(
                (
                    *(latency_warnings(timed, results) if timed else ()),
                    *(reliability_warnings(starts) if starts else ()),
                    *(machine if starts else ()),
                )
            ),
        ]

    return table(
        "Engines",
        2,
        [row(engine) for engine in measured(results)],
        (
            *_time_notes(results, shown),
            _words_note(results),
            "cold start: from process start to the first text; installed: with all it depends on",
            _INTERVAL,
        ),
    )


def formats(results: Results) -> Table:
    """Return what each format of a model costs and keeps, compared with the first."""
    shown = typical(results)
    rows = [engine for engine in measured(results) if engine.deviation is not None]
    first = rows[0] if rows else None

    def row(engine: EngineResult) -> Row:
        timed, words = shown.get(engine.name), engine.accuracy
        deviation, size = engine.deviation, engine.model_bytes
        assert first is not None
        assert deviation is not None
        return [
            text("engine", engine.name),
            number("file MB", size, ".2f", 1e-6),
            number("size / first", size and size / (first.model_bytes or size), ".2f"),
            number("RTF", _real_time_factor(timed).value if timed else None, ".4f"),
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
    return table("Formats", 1, [row(engine) for engine in rows], notes)


def latency(results: Results) -> Table:
    """Return one utterance at a time, setting by setting."""
    first = next(iter(measured(results)), None)

    def row(engine: EngineResult, timed: Latency) -> Row:
        wall = median(timed.wall)
        work = operations(engine, timed.duration)
        rates = results.rooflines
        cold = timed.warmup_wall[0] / wall.value if timed.warmup_wall else None
        return [
            text("engine", engine.name),
            number("audio s", timed.duration, "g"),
            number("threads", timed.threads, "d"),
            *estimate("median ms", wall, ".1f", 1e3),
            number("min ms", min(timed.wall), ".1f", 1e3),
            number("p90 ms", percentile(timed.wall, 90), ".1f", 1e3),
            number("p95 ms", percentile(timed.wall, 95), ".1f", 1e3),
            number("p99 ms", percentile(timed.wall, 99), ".1f", 1e3),
            number("RTF", wall.value / timed.duration, ".4f"),
            number("CPU RTF", _cpu_factor(timed), ".4f"),
            *estimate("/ first", ratio(timed, at(first, timed)) if first else None, ".2f"),
            number("warm-up", cold, ".1f"),
            number("peak MB", timed.peak_rss or None, ".0f", 1e-6),
            number("GPU peak MB", timed.peak_gpu_memory, ".0f", 1e-6),
            number("GFLOP/s", work / wall.value if work and wall.value else None, ".1f"),
            number(
                "% of sgemm",
                fraction(work, wall.value, rates.sgemm_gflops.get(timed.threads)),
                ".0f",
                100,
            ),
            number(
                "% of copy",
                fraction(
                    engine.model_bytes and engine.model_bytes / 1e9,
                    wall.value,
                    rates.memory_copy_gbytes.get(timed.threads),
                ),
                ".1f",
                100,
            ),
            reliability(latency_warnings(timed, results)),
        ]

    return table(
        "Latency",
        1,
        [row(engine, timed) for engine in measured(results) for timed in engine.latency],
        (
            _INTERVAL,
            *(
                [f"/ first: over the time of {first.name}, the median of the ratios within a round"]
                if first
                else []
            ),
            "warm-up: the first run of the process over the median",
            "% of sgemm: operations a second over a large fp32 matrix product's; % of copy: the "
            "model's bytes, read once, a second over those that a memory copy moves",
            "reliability: why a row should not be trusted; nothing where nothing speaks against it",
        ),
    )


def scaling(results: Results) -> Table:
    """Return what more threads gain."""
    return table(
        "Thread scaling",
        1,
        [
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
        ],
        ("speed-up: the median on the fewest threads over the median on these",),
    )


def cold_start(results: Results) -> Table:
    """Return where the time until the first text goes."""
    machine = machine_warnings(results.environment)

    def row(engine: EngineResult) -> Row:
        starts = engine.cold_start
        totals = tuple(one.total for one in starts)
        python = [one.total - one.import_ - one.load - one.first for one in starts]
        return [
            text("engine", engine.name),
            *estimate("total s", median(totals), ".3f"),
            number("Python s", float(np.median(python)), ".3f"),
            number("import s", float(np.median([one.import_ for one in starts])), ".3f"),
            number("load s", float(np.median([one.load for one in starts])), ".3f"),
            number("first s", float(np.median([one.first for one in starts])), ".3f"),
            reliability((*reliability_warnings(totals), *machine)),
        ]

    return table(
        "Cold start",
        1,
        [row(engine) for engine in measured(results) if engine.cold_start],
        ("medians over fresh processes, so the parts need not add up; files may be in the cache",),
    )


def throughput(results: Results) -> Table:
    """Return how much audio goes through in batches."""
    machine = machine_warnings(results.environment)

    def rows() -> Iterator[Row]:
        for engine in measured(results):
            for one in engine.throughput:
                wall, audio = median(one.wall), one.batch_size * one.duration
                bounds = Interval(audio / wall.interval.high, audio / wall.interval.low)
                yield [
                    text("engine", engine.name),
                    number("batch", one.batch_size, "d"),
                    number("audio s", one.duration, "g"),
                    number("threads", one.threads, "d"),
                    *estimate("audio s / s", Estimate(audio / wall.value, bounds), ".0f"),
                    number("p95 ms", percentile(one.wall, 95), ".0f", 1e3),
                    reliability((*reliability_warnings(one.wall), *machine)),
                ]

    return table("Throughput", 1, rows(), ("audio s / s: seconds of audio in a second",))


def streaming(results: Results) -> Table:
    """Return live streams: words, latency and computing."""
    machine = machine_warnings(results.environment)

    def row(engine: EngineResult, one: Streaming) -> Row:
        chunks, ends = one.chunk_seconds, one.finish_seconds
        chunk, words = median(chunks) if chunks else None, error_rate(one.per_recording)
        warnings = [
            reason
            for samples in (chunks, ends)
            if samples
            for reason in reliability_warnings(samples, alike=False)
        ]
        return [
            text("engine", engine.name),
            number("chunk ms", one.chunk_ms, "g"),
            number("look-ahead ms", one.lookahead_ms, "g"),
            number("latency ms", one.latency, "g", 1000),
            *estimate("WER %", words, ".2f", 100),
            number("over whole %", _over_whole(engine, one), "+.1f", 100),
            *estimate("computing ms", chunk, ".2f", 1e3),
            number("p95 ms", percentile(chunks, 95) if chunks else None, ".2f", 1e3),
            number("% of chunk", 1e3 * chunk.value / one.chunk_ms if chunk else None, ".2f", 100),
            number("end ms", median(ends).value if ends else None, ".2f", 1e3),
            number("end p95 ms", percentile(ends, 95) if ends else None, ".2f", 1e3),
            reliability((*warnings, *machine)),
        ]

    return table(
        "Streams",
        1,
        [row(engine, one) for engine in measured(results) for one in engine.streaming],
        (
            "latency: from a sound until all samples that its text waits for have arrived, at most",
            "over whole: words wrong over those of the same recordings transcribed whole",
            "computing: of a chunk, on one thread; end: from the last sample to the last text; "
            "recordings are fed in blocks of 20 ms",
        ),
    )


def _over_whole(engine: EngineResult, stream: Streaming) -> float | None:
    """Compare the words of streams with those of the same recordings, if all were streamed."""
    words, whole = error_rate(stream.per_recording), word_error_rate(engine)
    if engine.accuracy is None or words is None or whole is None or not whole.value:
        return None
    if len(stream.per_recording) != len(engine.accuracy.per_recording):
        return None
    return words.value / whole.value - 1


def models(results: Results) -> Table:
    """Return the models under test."""
    return table(
        "Models",
        2,
        [
            [
                text("model", model.name),
                text("weights", "trained" if model.checkpoint_sha256 else "random"),
                number("parameters M", model.parameters, ".2f", 1e-6),
                number("GFLOP / audio s", model.operations_per_second_of_audio, ".2f", 1e-9),
                text("SHA-256", (model.checkpoint_sha256 or "")[:12]),
            ]
            for model in results.models
            if model.parameters is not None
        ],
    )


def rooflines(results: Results) -> Table:
    """Return what the machine can do."""
    rates = results.rooflines

    def row(threads: int) -> Row:
        by_library = [
            number(f"{library} GFLOP/s", _median(of.get(threads)), ".1f")
            for library, of in rates.sgemm_by_library.items()
        ]
        return [
            number("threads", threads, "d"),
            number("sgemm GFLOP/s", _median(rates.sgemm_gflops.get(threads)), ".1f"),
            *by_library,
            number("memory copy GB/s", _median(rates.memory_copy_gbytes.get(threads)), ".1f"),
        ]

    return table(
        "Rooflines",
        0,
        [row(threads) for threads in sorted({*rates.sgemm_gflops, *rates.memory_copy_gbytes})],
        ("medians over the whole run; sgemm: of the faster library in each round",),
    )


def skipped(results: Results) -> Table:
    """Return what was not measured."""
    return table(
        "Not measured",
        2,
        [
            [text("engine", engine.name), text("why", engine.skipped)]
            for engine in results.engines
            if engine.skipped is not None
        ],
    )


def _real_time_factor(timed: Latency) -> Estimate:
    return median(timed.wall).scaled(1 / timed.duration)


def _cpu_factor(timed: Latency) -> float:
    return float(np.median(timed.cpu)) / timed.duration


def _median(samples: tuple[float, ...] | None) -> float | None:
    return float(np.median(samples)) if samples else None


def _time_notes(results: Results, shown: dict[str, Latency]) -> list[str]:
    if not shown:
        return []
    settings = {(row.duration, row.threads) for row in shown.values()}
    where = "longest audio, fewest threads"
    if len(settings) == 1:
        ((duration, threads),) = settings
        where = f"{duration:g} s of audio, {plural(threads, 'thread')}"
    network = ", of the network without decoding" if results.settings.task == "log_probs" else ""
    return [
        f"RTF: median wall time over the audio's length{network}, {where}; CPU RTF: "
        "CPU time of all cores likewise; peak MB: resident"
    ]


def _words_note(results: Results) -> str:
    settings = results.settings
    if not settings.recordings:
        return "WER: not measured, no manifest was given"
    normalized = f", texts normalised by {settings.normalizer}" if settings.normalizer else ""
    return (
        f"WER: words wrong, {plural(settings.recordings, 'recording')} "
        f"({settings.recording_seconds / 60:.0f} minutes){normalized}"
    )
