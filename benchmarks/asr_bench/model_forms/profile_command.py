"""``asr-bench profile``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def profile(
    model: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Argument(help="Exported .onnx or .ort file; the packaged model if not given."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Length of the audio.")] = 30.0,
    threads: Annotated[int, typer.Option(help="CPU threads of the model.")] = 1,
    rounds: Annotated[int, typer.Option(help="Samples of everything.")] = 10,
    warmup: Annotated[int, typer.Option(help="Rounds before those, not counted.")] = 2,
    json_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--json", help="Write every sample and the environment here."),
    ] = None,
    markdown_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--markdown", help="Write the table here."),
    ] = None,
) -> None:
    """Where a model's time goes, operator by operator, in ONNX Runtime."""
    from asr_bench.measuring.environment import capture_environment, load_average
    from asr_bench.model_forms.latency import LatencySettings
    from asr_bench.model_forms.operator_profile import profile_operators
    from asr_bench.model_forms.profile_report import ProfileReport
    from asr_bench.tables.outputs import check_outputs, publish
    from asr_runtime.recognizer import DEFAULT_MODEL

    settings = LatencySettings((seconds,), (threads,), rounds, warmup)
    check_outputs(json_out, markdown_out)
    path = DEFAULT_MODEL if model is None else model
    environment = capture_environment()
    operators = profile_operators(path, settings)
    report = ProfileReport(environment, load_average(), path, seconds, threads, operators)
    publish(report, json_out, markdown_out)
