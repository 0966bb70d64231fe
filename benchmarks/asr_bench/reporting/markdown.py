"""``report.md``."""

from __future__ import annotations

from collections.abc import Sequence

from asr_bench.reporting.plots import Plot
from asr_bench.reporting.table import Table
from asr_bench.tables.text_table import escaped


def to_markdown(
    title: str, notes: Sequence[str], tables: Sequence[Table], plots: Sequence[Plot]
) -> str:
    """The whole report; plots are files beside it, ``NAME.svg``."""
    lines = [f"# {escaped(title)}", "", *(f"- {escaped(note)}" for note in notes), ""]
    for table in tables:
        lines += [f"## {table.name}", "", *table_lines(table)]
    if plots:
        lines += ["## Plots", ""]
        for plot in plots:
            lines += [f"![{escaped(plot.title)}]({plot.name}.svg)", ""]
    return "\n".join(lines)


def table_lines(table: Table) -> list[str]:
    """The table and its notes."""
    lines = [*table.markdown(), ""]
    if table.notes:
        lines += [*(f"- {escaped(note)}" for note in table.notes), ""]
    return lines
