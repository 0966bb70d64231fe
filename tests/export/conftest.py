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
def short_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare on 7 s of audio instead of 180; the files of `export_tiny` are compared on all."""
    from asr_export.verification.check_export import check_export

    assert check_export.__kwdefaults__["batches"]
    short = ((0.05,), (2.0, 1.999), (0.05, 0.31, 3.0))
    monkeypatch.setitem(check_export.__kwdefaults__, "batches", short)


@pytest.fixture
def asr_export(run_command_line: Callable[..., tuple[int, str, str]]) -> Run:
    """Run the command in this process: exit code, stdout, stderr."""
    from asr_export import cli

    return functools.partial(run_command_line, cli.main)
