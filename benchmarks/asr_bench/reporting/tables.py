"""The tables of a run."""

from __future__ import annotations

import numpy as np

from asr_bench.reporting import time_tables
from asr_bench.reporting.rows import LatencyRow, Summary
from asr_bench.reporting.table import Cell, Table, estimate, number, text
from asr_bench.results import Results
from asr_bench.tables.table_report import plural


def tables(results: Results, summary: Summary) -> list[Table]:
    """All that have rows, the widest view first."""
    found = [
        engines(results, summary),
        time_tables.latency(summary),
        time_tables.scaling(summary),
        time_tables.cold_start(summary),
        time_tables.throughput(summary),
        time_tables.streaming(summary),
        rooflines(results),
        skipped(summary),
    ]
    return [table for table in found if table.rows]


def engines(results: Results, summary: Summary) -> Table:
    """One row an engine: what it costs, and what it gets right."""
    shown = typical_rows(summary)
    starts = {row.engine: row for row in summary.cold_start}
    rows = []
    for row in summary.engines:
        if row.skipped is not None:
            continue
        typical, start = shown.get(row.engine), starts.get(row.engine)
        doubts = dict.fromkeys(
            reason for part in (typical, start) if part is not None for reason in part.doubts
        )
        rows.append(
            (
                text(row.engine),
                text(row.version),
                *estimate(row.word_error_rate, ".2f", 100),
                *estimate(typical.real_time_factor if typical else None, ".4f"),
                number(typical.cpu_real_time_factor if typical else None, ".4f"),
                number(start.total.value if start else None, ".2f"),
                number(typical.peak_rss if typical else None, ".0f", 1e-6),
                number(typical.peak_gpu_memory if typical else None, ".0f", 1e-6),
                number(row.model_bytes, ".1f", 1e-6),
                number(row.install_bytes, ".0f", 1e-6),
                text("; ".join(doubts)),
            )
        )
    return Table(
        "Engines",
        (
            "engine",
            "version",
            "WER %",
            "95 %",
            "RTF",
            "95 %",
            "CPU RTF",
            "cold start s",
            "peak MB",
            time_tables.GPU_MEMORY,
            "model MB",
            "installed MB",
            "reliability",
        ),
        2,
        tuple(rows),
        (
            f"RTF: median wall time over the audio's length, {_typical_setting(shown)}; CPU RTF: "
            "CPU time of all cores likewise; peak MB: resident",
            _accuracy_note(results),
            "cold start: from process start to the first text; installed: with all it depends on",
            "95 %: the interval of the figure before it, by bootstrap over rounds or recordings",
        ),
    ).without_empty(time_tables.GPU_MEMORY)


def typical_rows(summary: Summary) -> dict[str, LatencyRow]:
    """Of each engine the longest audio on the fewest threads."""
    found: dict[str, LatencyRow] = {}
    for row in summary.latency:
        best = found.get(row.engine)
        if best is None or (row.threads, -row.duration) < (best.threads, -best.duration):
            found[row.engine] = row
    return found


def rooflines(results: Results) -> Table:
    """What the machine can do."""
    found = results.rooflines
    rows = []
    for threads in sorted({*found.sgemm_gflops, *found.memory_copy_gbytes}):
        sgemm = found.sgemm_gflops.get(threads, ())
        copy = found.memory_copy_gbytes.get(threads, ())
        rows.append((number(threads, "d"), _median(sgemm), _median(copy)))
    header = ("threads", "sgemm GFLOP/s", "memory copy GB/s")
    return Table("Rooflines", header, 0, tuple(rows), ("medians over the whole run",))


def skipped(summary: Summary) -> Table:
    """What was not measured."""
    rows = tuple(
        (text(row.engine), text(row.skipped)) for row in summary.engines if row.skipped is not None
    )
    return Table("Not measured", ("engine", "why"), 2, rows)


def _median(samples: tuple[float, ...]) -> Cell:
    return number(float(np.median(samples)) if samples else None, ".1f")


def _typical_setting(shown: dict[str, LatencyRow]) -> str:
    settings = {(row.duration, row.threads) for row in shown.values()}
    if len(settings) != 1:
        return "longest audio, fewest threads"
    ((duration, threads),) = settings
    return f"{duration:g} s of audio, {plural(threads, 'thread')}"


def _accuracy_note(results: Results) -> str:
    settings = results.settings
    if not settings.recordings:
        return "WER: not measured, no manifest was given"
    normalized = f", texts normalised by {settings.normalizer}" if settings.normalizer else ""
    return (
        f"WER: words wrong, {plural(settings.recordings, 'recording')} "
        f"({settings.recording_seconds / 60:.0f} minutes){normalized}"
    )
