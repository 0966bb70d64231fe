"""``asr-bench compare`` and ``asr-bench report``: what reads the results of runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from asr_bench import options
from asr_bench.errors import BenchError

#: Exit status for input that cannot be compared, so that 1 means a regression and nothing else.
UNUSABLE = 2


def compare(
    before: Annotated[Path, typer.Argument(help="results.json to compare with.")],
    after: Annotated[Path, typer.Argument(help="results.json in question.")],
    threshold: Annotated[
        float, typer.Option(help="Fraction by which time, memory and size may change.")
    ] = 0.05,
    json_out: options.JsonOut = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Say what changed between two runs beyond noise; exit status 1 if something got worse."""
    from asr_bench.comparison.compare import compare as compare_results
    from asr_bench.comparison.compare_report import to_dict, to_markdown, to_text
    from asr_bench.results_file import read_complete_results
    from asr_train.errors import ToolkitError
    from asr_train.output import replacing

    try:
        options.check_outputs(json_out, markdown_out)
        old, new = read_complete_results(before), read_complete_results(after)
        comparison = compare_results(old, new, threshold)
        for path, text in (
            (json_out, json.dumps(to_dict(comparison), indent=2) + "\n"),
            (markdown_out, to_markdown(comparison)),
        ):
            if path is not None:
                with replacing(path) as partial:
                    partial.write_text(text, encoding="utf-8")
    except ToolkitError as error:
        refusal = BenchError(str(error))
        refusal.exit_code = UNUSABLE
        raise refusal from None
    typer.echo(to_text(comparison))
    if comparison.regressions:
        raise typer.Exit(1)


def report(
    results: Annotated[Path, typer.Argument(help="results.json of a run.")],
    into: Annotated[
        Path | None,
        typer.Option(help="Markdown file with the two marker lines to write the table between."),
    ] = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Show the tables of a run again, or put its first table into a document."""
    from asr_bench import reporting
    from asr_bench.reporting.report import write_into
    from asr_bench.results_file import read_complete_results, read_results

    options.check_outputs(markdown_out)
    if into is not None:
        write_into(read_complete_results(results), into)
    if markdown_out is not None:
        reporting.write_markdown(read_results(results), markdown_out)
    if into is None and markdown_out is None:
        typer.echo(reporting.to_text(read_results(results)))
