"""The files of a report."""

from __future__ import annotations

from pathlib import Path

from asr_bench.measuring.environment import Environment
from asr_bench.reporting.html import to_html
from asr_bench.reporting.markdown import to_markdown
from asr_bench.reporting.plots import plots
from asr_bench.reporting.summary import summarise
from asr_bench.reporting.tables import tables
from asr_bench.results import Results
from asr_bench.tables.table_report import plural
from asr_train.output import replacing

TITLE = "Speech recognition benchmark"


def write_reports(results: Results, folder: Path) -> list[Path]:
    """``report.md``, ``report.html`` and the plots in a folder that exists, and their paths.

    Raises:
        OutputError: a file cannot be written; those written before stay.
    """
    summary = summarise(results)
    shown, pictures = tables(results, summary), plots(summary)
    notes = [*_incomplete(results), *run_notes(results)]
    texts = {
        **{f"{picture.name}.svg": picture.svg for picture in pictures},
        "report.md": to_markdown(TITLE, notes, shown, pictures),
        "report.html": to_html(TITLE, notes, shown, pictures),
    }
    for name, text in texts.items():
        with replacing(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def run_notes(results: Results) -> list[str]:
    """The machine, the programs and the settings."""
    here, settings = results.environment, results.settings
    kind = (
        "quick: few rounds, durations and recordings, for a look only; " if settings.quick else ""
    )
    return [
        _machine(here),
        f"python {here.python}, torch {here.torch}, onnxruntime {here.onnxruntime}, "
        f"numpy {here.numpy}; commit {here.commit or 'unknown'}",
        f"{kind}{plural(settings.rounds, 'round')} after {settings.warmup} of warm-up, which "
        "do not count; every engine in a process of its own, all in turn in every round",
        f"measured by: {here.command}",
    ]


def _incomplete(results: Results) -> list[str]:
    if results.complete:
        return []
    done = "; ".join(results.done) or "no part"
    return [f"INCOMPLETE: the run was interrupted; finished: {done}"]


def _machine(here: Environment) -> str:
    memory = f"{here.memory_bytes / 1e9:.1f} GB, " if here.memory_bytes else ""
    load = "unknown" if here.load_average is None else f"{here.load_average:.2f}"
    warning = "; OTHER WORK KEPT ALL CORES BUSY" if here.overloaded else ""
    return (
        f"{here.cpu}, {plural(here.logical_cores, 'logical core')}, {memory}{here.system}; "
        f"{here.date}; load average {load} before{warning}"
    )
