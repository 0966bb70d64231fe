"""The tiny model's files, and the command."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session", autouse=True)
def _share_traces(traced_once: None) -> None:
    pass


@pytest.fixture(scope="session")
def files(export_tiny: Callable[..., Path]) -> Mapping[str, Path]:
    """The tiny model's ONNX files by precision, each exported when it is needed."""

    class Files(dict[str, Path]):
        def __missing__(self, precision: str) -> Path:
            return self.setdefault(precision, export_tiny("model.onnx", precision))

    return Files()


@pytest.fixture
def asr_export(run_command_line: Callable[..., tuple[int, str, str]]) -> Run:
    """Run the command in this process: exit code, stdout, stderr."""
    from asr_export import cli

    return functools.partial(run_command_line, cli.main)
