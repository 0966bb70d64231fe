"""Where a command's report goes: the terminal, and the files that were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from asr_bench.tables.table_report import TableReport


def check_outputs(*paths: Path | None) -> None:
    """Raise BenchError or OutputError, before anything is measured, if one cannot be written."""
    from asr_bench.errors import BenchError
    from asr_train.output import check_writable

    wanted = [path for path in paths if path is not None]
    if len({path.resolve() for path in wanted}) < len(wanted):
        raise BenchError(f"{wanted[0]} is asked for twice; give each output a name of its own")
    for path in wanted:
        check_writable(path)


def publish(report: TableReport, json_out: Path | None, markdown_out: Path | None) -> None:
    """Show the table, and write what was asked for."""
    typer.echo(report.table())
    if json_out is not None:
        report.save_json(json_out)
    if markdown_out is not None:
        report.save_markdown(markdown_out)
