"""``asr-bench compare`` and ``asr-bench table``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Optional

import typer

from asr_bench.errors import BenchError

#: Of input that cannot be compared, so that 1 means a regression and nothing else.
UNUSABLE = 2


def compare(
    before: Annotated[Path, typer.Argument(help="results.json to compare with.")],
    after: Annotated[Path, typer.Argument(help="results.json in question.")],
    threshold: Annotated[
        float, typer.Option(help="Fraction by which time, memory and size may change.")
    ] = 0.05,
    json_out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Option("--json", help="Write every figure here."),
    ] = None,
    markdown_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--markdown", help="Write the table of every figure here."),
    ] = None,
) -> None:
    """Say what changed between two runs beyond noise; exit status 1 if something got worse."""
    from asr_bench.comparison.compare import compare as compare_results
    from asr_bench.comparison.compare_report import to_dict, to_markdown, to_text
    from asr_bench.results import read_complete_results
    from asr_bench.tables.outputs import check_outputs
    from asr_train.errors import ToolkitError
    from asr_train.output import replacing

    try:
        check_outputs(json_out, markdown_out)
        old, new = read_complete_results(before), read_complete_results(after)
        found = compare_results(old, new, threshold)
        for path, text in (
            (json_out, json.dumps(to_dict(found), indent=2) + "\n"),
            (markdown_out, to_markdown(found)),
        ):
            if path is not None:
                with replacing(path) as partial:
                    partial.write_text(text, encoding="utf-8")
    except ToolkitError as error:
        refusal = BenchError(str(error))
        refusal.exit_code = UNUSABLE
        raise refusal from None
    typer.echo(to_text(found))
    if found.regressions:
        raise typer.Exit(1)


def table(
    results: Annotated[Path, typer.Argument(help="results.json of asr-bench run.")],
    into: Annotated[
        Path, typer.Option(help="Markdown file with the two marker lines to write between.")
    ],
) -> None:
    """Put the table of a run into a document, where the markers are."""
    from asr_bench.reporting.document_table import write_table
    from asr_bench.results import read_complete_results

    write_table(read_complete_results(results), into)
