"""``asr-bench profile``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_bench import options

if TYPE_CHECKING:
    from asr_bench.profiling.operator_profile import OperatorTime
    from asr_bench.reporting.table import Table

#: Operators with a smaller part of the time share a row.
_LEAST_SHARE = 0.005


def profile(
    model: Annotated[
        Path | None,
        typer.Argument(help="Exported .onnx or .ort file; the packaged model if not given."),
    ] = None,
    seconds: options.Seconds = 30.0,
    threads: options.Threads = 1,
    rounds: options.Rounds = 10,
    warmup: options.Warmup = 2,
    json_out: options.JsonOut = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Where a model's time goes, operator by operator, in ONNX Runtime."""
    from asr_bench.measuring.environment import capture_environment
    from asr_bench.profiling.operator_profile import profile_operators
    from asr_bench.reporting.outputs import publish
    from asr_runtime.recognizer import DEFAULT_MODEL

    options.check_numbers((seconds,), (threads,), rounds, warmup)
    options.check_outputs(json_out, markdown_out)
    path = DEFAULT_MODEL if model is None else model
    environment = capture_environment()
    operators = profile_operators(path, seconds, threads, rounds, warmup)
    document = {
        "model": path.name,
        "duration": seconds,
        "threads": threads,
        "operators": [asdict(one) for one in operators],
    }
    shown = operator_table(path.name, seconds, threads, operators)
    publish(shown, document, environment, json_out, markdown_out)


def operator_table(
    model: str, seconds: float, threads: int, operators: Sequence[OperatorTime]
) -> Table:
    """Make the table of operators; small ones share a row.

    Args:
        model: Name of the file.
        seconds: Length of the audio.
        threads: CPU threads.
        operators: The most expensive one first.
    """
    from asr_bench.reporting.table import number, plural, table, text

    total = sum(one.median for one in operators)
    large = [one for one in operators if one.median >= _LEAST_SHARE * total]
    small = operators[len(large) :]
    rows = [(one.operator, one.nodes, one.median) for one in large]
    if small:
        nodes, spent = sum(one.nodes for one in small), sum(one.median for one in small)
        rows.append((f"{len(small)} others", nodes, spent))
    return table(
        "Operators",
        1,
        [
            [
                text("operator", name),
                number("nodes", nodes, "d"),
                number("ms", spent, ".2f", 1e3),
                number("% of all", spent / total, ".1f", 100),
            ]
            for name, nodes, spent in rows
        ],
        [
            f"{model}, {seconds:g} s of audio, batch 1, {plural(threads, 'thread')}; medians of "
            f"{plural(len(operators[0].seconds), 'run')}, by ONNX Runtime's profiler, whose own "
            "cost is in them"
        ],
    )
