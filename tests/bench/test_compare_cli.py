"""``asr-bench compare``: its exit status, and its refusal of what it cannot use."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asr_bench import cli
from asr_bench.measuring.environment import Environment
from asr_bench.results import Results
from asr_bench.results_file import write_results


def asr_bench(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code."""
    monkeypatch.setattr(sys, "argv", ["asr-bench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture
def files(
    simulate: Callable[..., Results], environment: Environment, tmp_path: Path
) -> dict[str, Path]:
    here = dataclasses.replace(environment, memory_bytes=8 << 30)
    paths = {}
    for seed, (name, slower) in enumerate((("old", 1.0), ("same", 1.0), ("slow", 1.2))):
        paths[name] = tmp_path / f"{name}.json"
        write_results(simulate(here, seed, spikes=0.0, noise=0.01, slower=slower), paths[name])
    return paths


def test_exit_status(monkeypatch, files, tmp_path, capsys) -> None:
    assert asr_bench(monkeypatch, "compare", files["old"], files["same"]) == 0
    assert capsys.readouterr().out.startswith("0 regressions; of ")
    outputs = ("--json", tmp_path / "c.json", "--markdown", tmp_path / "c.md")
    assert asr_bench(monkeypatch, "compare", files["old"], files["slow"], *outputs) == 1
    captured = capsys.readouterr()
    assert "REGRESSION" in captured.out
    assert captured.err == ""
    assert json.loads((tmp_path / "c.json").read_text())["regressions"] > 0
    assert "REGRESSION" in (tmp_path / "c.md").read_text()
    lenient = ("--threshold", 0.5)
    assert asr_bench(monkeypatch, "compare", files["old"], files["slow"], *lenient) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["old.json", "missing.json"], "missing.json: cannot be read"),
        (["old.json", "cut.json"], "cut.json: not JSON"),
        (["old.json", "same.json", "--threshold", "-1"], "threshold must be"),
        (["old.json", "same.json", "--json", "nowhere/c.json"], "nowhere does not exist"),
    ],
)
def test_unusable_input_is_not_a_regression(
    monkeypatch, files, tmp_path, capsys, arguments, message
) -> None:
    (tmp_path / "cut.json").write_text(files["old"].read_text()[:100])
    monkeypatch.chdir(tmp_path)
    assert asr_bench(monkeypatch, "compare", *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("asr-bench: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
