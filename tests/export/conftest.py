"""The tiny model's files, exported once, and the command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def files(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tiny model's ONNX files by precision; not to be changed."""
    from asr_export import ExportOptions, Precision, export
    from asr_train.checkpoints.checkpoint import load_checkpoint

    paths = {}
    for precision in Precision:
        path = tmp_path_factory.mktemp(precision.value) / "model.onnx"
        export(load_checkpoint(tiny_checkpoint), path, ExportOptions(precision))
        paths[precision.value] = path
    return paths


@pytest.fixture
def asr_export(run_command_line: Callable[..., tuple[int, str, str]]) -> Run:
    """Run the command in this process: exit code, stdout, stderr."""
    from asr_export import cli

    return functools.partial(run_command_line, cli.main)
