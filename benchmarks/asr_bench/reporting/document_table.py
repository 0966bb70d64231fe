"""The table of a run inside another document, kept up to date."""

from __future__ import annotations

from pathlib import Path

from asr_bench.errors import BenchError
from asr_bench.reporting.markdown import table_lines
from asr_bench.reporting.report import run_notes
from asr_bench.reporting.summary import summarise
from asr_bench.reporting.tables import engines
from asr_bench.results import Results
from asr_bench.tables.text_table import escaped
from asr_train.output import replacing

BEGIN = "<!-- benchmark table: begin -->"
END = "<!-- benchmark table: end -->"


def write_table(results: Results, document: Path) -> None:
    """Put the table of engines between the markers of a Markdown file; the rest stays.

    Raises:
        BenchError: the file cannot be read, or has not one marker of each kind in their order.
        OutputError: it cannot be written.
    """
    try:
        text = document.read_bytes().decode()
    except OSError as error:
        raise BenchError(f"{document}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BenchError(f"{document}: not UTF-8 text; give a Markdown file") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise BenchError(f"{document}: put one line {BEGIN} and below it one {END} where to write")
    newline = "\r\n" if "\r\n" in text else "\n"
    block = newline.join(["", *_lines(results), ""])
    with replacing(document) as partial:
        partial.write_bytes((before + begin + block + end + after).encode())


def _lines(results: Results) -> list[str]:
    machine, programs, *_ = run_notes(results)
    lines = table_lines(engines(results, summarise(results)))
    # The notes of the table go on.
    return [*lines[:-1], *(f"- {escaped(note)}" for note in (machine, programs)), ""]
