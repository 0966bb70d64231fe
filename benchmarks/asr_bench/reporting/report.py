"""The documents that show a run: Markdown, a page, plots, and a table inside another document."""

from __future__ import annotations

from pathlib import Path

from asr_bench.errors import BenchError
from asr_bench.measuring.environment import Environment
from asr_bench.reporting.html import to_html
from asr_bench.reporting.plots import plots
from asr_bench.reporting.run_tables import engines, tables
from asr_bench.reporting.table import escaped, plural
from asr_bench.results import Results
from asr_train.output import replacing

TITLE = "Speech recognition benchmark"

BEGIN = "<!-- benchmark table: begin -->"
END = "<!-- benchmark table: end -->"


def write_reports(results: Results, folder: Path) -> list[Path]:
    """Write ``report.md``, ``report.html`` and the plots, and return their paths.

    Args:
        results: A run, also one that was interrupted.
        folder: Folder that exists.

    Raises:
        OutputError: A file cannot be written; those written before stay.
    """
    pictures = plots(results)
    texts = {
        **{f"{picture.name}.svg": picture.svg for picture in pictures},
        "report.md": to_markdown(results, [(one.name, one.title) for one in pictures]),
        "report.html": to_html(TITLE, _notes(results), tables(results), pictures),
    }
    for name, content in texts.items():
        with replacing(folder / name) as partial:
            partial.write_text(content, encoding="utf-8")
    return [folder / name for name in texts]


def write_markdown(results: Results, path: Path) -> None:
    """Write the report without plots; ``OutputError`` when it cannot be written."""
    with replacing(path) as partial:
        partial.write_text(to_markdown(results), encoding="utf-8")


def to_markdown(results: Results, pictures: list[tuple[str, str]] | None = None) -> str:
    """Return the report in Markdown; ``pictures`` are names of SVG files beside it, and titles."""
    lines = [f"# {TITLE}", "", *(f"- {escaped(note)}" for note in _notes(results)), ""]
    for one in tables(results):
        lines += [f"## {one.name}", "", *one.markdown()]
    if pictures:
        lines += ["## Plots", ""]
        for name, title in pictures:
            lines += [f"![{escaped(title)}]({name}.svg)", ""]
    return "\n".join(lines)


def to_text(results: Results) -> str:
    """Return the tables for a terminal."""
    lines = []
    for one in tables(results):
        lines += [one.name, "", *one.plain(), ""]
    return "\n".join([*lines, *_notes(results)])


def write_into(results: Results, document: Path) -> None:
    """Put the table of engines between the markers of a Markdown file; the rest stays.

    Raises:
        BenchError: The file cannot be read, or has not one marker of each kind in their order.
        OutputError: It cannot be written.
    """
    try:
        content = document.read_bytes().decode()
    except OSError as error:
        raise BenchError(f"{document}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BenchError(f"{document}: not UTF-8 text; give a Markdown file") from None
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise BenchError(f"{document}: put one line {BEGIN} and below it one {END} where to write")
    newline = "\r\n" if "\r\n" in content else "\n"
    machine, programs, *_ = run_notes(results)
    # The notes of the table go on.
    lines = engines(results).markdown()[:-1]
    lines += [f"- {escaped(note)}" for note in (machine, programs)]
    block = newline.join(["", *lines, "", ""])
    with replacing(document) as partial:
        partial.write_bytes((before + begin + block + end + after).encode())


def run_notes(results: Results) -> list[str]:
    """Return the machine, the programs and the settings, a line each."""
    here, settings = results.environment, results.settings
    kind = (
        "quick: few rounds, durations and recordings, for a look only; " if settings.quick else ""
    )
    return [
        machine_note(here),
        f"python {here.python}, torch {here.torch}, onnxruntime {here.onnxruntime}, "
        f"numpy {here.numpy}; commit {here.commit or 'unknown'}",
        f"{kind}{plural(settings.rounds, 'round')} after {settings.warmup} of warm-up, which "
        "do not count; every engine in a process of its own, all in turn in every round",
        f"measured by: {here.command}",
    ]


def machine_note(here: Environment) -> str:
    """Return the machine in a line."""
    memory = f"{here.memory_bytes / 1e9:.1f} GB, " if here.memory_bytes else ""
    fewer = here.usable_cpus is not None and here.usable_cpus < here.logical_cores
    usable = f"{here.usable_cpus} of them for this process, " if fewer else ""
    load = "unknown" if here.load_average is None else f"{here.load_average:.2f}"
    warning = "; OTHER WORK KEPT ALL CORES BUSY" if here.overloaded else ""
    return (
        f"{here.cpu}, {plural(here.logical_cores, 'logical core')}, {usable}{memory}"
        f"{here.system}; "
        f"{here.date}; load average {load} before{warning}"
    )


def _notes(results: Results) -> list[str]:
    if results.complete:
        return run_notes(results)
    done = "; ".join(results.done) or "no part"
    return [f"INCOMPLETE: the run was interrupted; finished: {done}", *run_notes(results)]
