"""Where the report of a measurement that is no run goes: the terminal, and files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from asr_bench.measuring.environment import Environment, load_average
from asr_bench.reporting.report import machine_note
from asr_bench.reporting.table import Table, escaped
from asr_train.output import replacing


def publish(
    shown: Table,
    document: dict[str, Any],
    environment: Environment,
    json_out: Path | None,
    markdown_out: Path | None,
) -> None:
    """Print a table, and write the files that were asked for.

    Args:
        shown: The table with its notes.
        document: What the JSON file holds beside the environment, every sample included.
        environment: The machine before the measurement.
        json_out: JSON file; None for none.
        markdown_out: Markdown file; None for none.

    Raises:
        OutputError: A file cannot be written.
    """
    note = machine_note(environment)
    typer.echo("\n".join([*shown.plain(), note]))
    machine = {
        **asdict(environment),
        "load_average_after": load_average(),
        "overloaded": environment.overloaded,
    }
    content = json.dumps({"environment": machine, **document}, indent=1) + "\n"
    markdown = "\n".join([*shown.markdown()[:-1], f"- {escaped(note)}", ""])
    for path, text in ((json_out, content), (markdown_out, markdown)):
        if path is not None:
            with replacing(path) as partial:
                partial.write_text(text, encoding="utf-8")
