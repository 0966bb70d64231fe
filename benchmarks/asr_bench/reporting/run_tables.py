"""The tables of a run: what each engine costs, gets right, and how it starts and streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from asr_bench.measuring.bootstrap import Interval
from asr_bench.measuring.reliability import machine_warnings, reliability_warnings
from asr_bench.reporting.figures import (
    Estimate,
    cpu_factor,
    error_rate,
    latency_warnings,
    measured,
    median,
    percentile,
    real_time_factor,
    typical,
    word_error_rate,
)
from asr_bench.reporting.latency_tables import INTERVAL_NOTE, formats, latency, scaling
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
from asr_bench.results import EngineResult, Latency, Results, Seconds, Streaming


def tables(results: Results) -> list[Table]:
    """Return all tables that have rows, the widest view first."""
    every = (
        *(engines, formats, latency, scaling, cold_start, throughput, streaming, models),
        *(rooflines, skipped),
    )
    return [one for one in (make(results) for make in every) if one.rows]


def engines(results: Results) -> Table:
    """Return what each engine costs, and what it gets right."""
    shown = typical(results)

    def row(engine: EngineResult) -> Row:
        timed = shown.get(engine.name)
        starts = tuple(start.total for start in engine.cold_start)
        return [
            text("engine", engine.name),
            text("version", engine.version),
            *estimate("WER %", word_error_rate(engine), ".2f", 100),
            *estimate("RTF", real_time_factor(timed) if timed else None, ".4f"),
            number("CPU RTF", cpu_factor(timed) if timed else None, ".4f"),
            number("cold start s", median(starts).value if starts else None, ".2f"),
            number("peak MB", (timed.peak_rss or None) if timed else None, ".0f", 1e-6),
            number("GPU peak MB", timed.peak_gpu_memory if timed else None, ".0f", 1e-6),
            number("model MB", engine.model_bytes, ".1f", 1e-6),
            number("installed MB", engine.install_bytes, ".0f", 1e-6),
            reliability(
                (
                    *(latency_warnings(timed, results) if timed else ()),
                    *(_warnings(results, starts) if starts else ()),
                )
            ),
        ]

    notes = (
        *_time_notes(results, shown),
        _words_note(results),
        "cold start: from process start to the first text; installed: with all it depends on",
        INTERVAL_NOTE,
    )
    return table("Engines", 2, map(row, measured(results)), notes)


def cold_start(results: Results) -> Table:
    """Return where the time until the first text goes."""

    def row(engine: EngineResult) -> Row:
        starts = engine.cold_start
        totals = tuple(one.total for one in starts)
        parts = {
            "Python s": [one.total - one.import_ - one.load - one.first for one in starts],
            "import s": [one.import_ for one in starts],
            "load s": [one.load for one in starts],
            "first s": [one.first for one in starts],
        }
        return [
            text("engine", engine.name),
            *estimate("total s", median(totals), ".3f"),
            *(number(name, float(np.median(part)), ".3f") for name, part in parts.items()),
            reliability(_warnings(results, totals)),
        ]

    return table(
        "Cold start",
        1,
        (row(engine) for engine in measured(results) if engine.cold_start),
        ("medians over fresh processes, so the parts need not add up; files may be in the cache",),
    )


def throughput(results: Results) -> Table:
    """Return how much audio goes through in batches."""

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
                    reliability(_warnings(results, one.wall)),
                ]

    return table("Throughput", 1, rows(), ("audio s / s: seconds of audio in a second",))


def streaming(results: Results) -> Table:
    """Return live streams: words, latency and computing."""

    def row(engine: EngineResult, one: Streaming) -> Row:
        chunks, ends = one.chunk_seconds, one.finish_seconds
        chunk, words = median(chunks) if chunks else None, error_rate(one.per_recording)
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
            reliability(_warnings(results, *filter(None, (chunks, ends)), alike=False)),
        ]

    return table(
        "Streams",
        1,
        (row(engine, one) for engine in measured(results) for one in engine.streaming),
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
    rows = (
        [
            text("model", model.name),
            text("weights", "trained" if model.checkpoint_sha256 else "random"),
            number("parameters M", model.parameters, ".2f", 1e-6),
            number("GFLOP / audio s", model.operations_per_second_of_audio, ".2f", 1e-9),
            text("SHA-256", (model.checkpoint_sha256 or "")[:12]),
        ]
        for model in results.models
        if model.parameters is not None
    )
    return table("Models", 2, rows)


def rooflines(results: Results) -> Table:
    """Return what the machine can do."""
    rates = results.rooflines
    columns = {
        "sgemm GFLOP/s": rates.sgemm_gflops,
        **{f"{library} GFLOP/s": of for library, of in rates.sgemm_by_library.items()},
        "memory copy GB/s": rates.memory_copy_gbytes,
    }

    def row(threads: int) -> Row:
        medians = {
            name: float(np.median(of[threads])) if of.get(threads) else None
            for name, of in columns.items()
        }
        return [
            number("threads", threads, "d"),
            *(number(name, value, ".1f") for name, value in medians.items()),
        ]

    return table(
        "Rooflines",
        0,
        map(row, sorted({*rates.sgemm_gflops, *rates.memory_copy_gbytes})),
        ("medians over the whole run; sgemm: of the faster library in each round",),
    )


def skipped(results: Results) -> Table:
    """Return what was not measured."""
    rows = (
        [text("engine", engine.name), text("why", engine.skipped)]
        for engine in results.engines
        if engine.skipped is not None
    )
    return table("Not measured", 2, rows)


def _warnings(results: Results, *samples: Seconds, alike: bool = True) -> Iterable[str]:
    for one in samples:
        yield from reliability_warnings(one, alike=alike)
    yield from machine_warnings(results.environment)


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
