import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from asr_bench import cli
from asr_bench.model_forms import subjects
from asr_bench.model_forms.subjects import EAGER, ONNX, TORCHSCRIPT, random_checkpoint
from asr_export.errors import ParityError
from asr_export.formats.torchscript import to_torchscript
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from asr_train.model.config import PRESETS, ModelConfig
from asr_train.model.network import ResCNNBiGRU


def asr_bench(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code."""
    monkeypatch.setattr(sys, "argv", ["asr-bench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def checkpoint(tiny: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "best"
    save_checkpoint(folder, ResCNNBiGRU(tiny), {})
    return folder


@dataclass(frozen=True)
class Run:
    table: str
    markdown: str
    document: dict
    left: set[str]
    exports: dict[str, Any]


@pytest.fixture(scope="module")
def run(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole command once: real exports, real clock."""
    out = tmp_path_factory.mktemp("out")
    printed: list[str] = []
    exports: dict[str, Any] = {}

    def remembering(form: str) -> Callable[[Checkpoint], Any]:
        export = getattr(subjects, form)
        # Exporting is slow: another test uses the results again.
        return lambda source: exports.setdefault(form, export(source))

    with pytest.MonkeyPatch.context() as patch:
        for form in ("to_torchscript", "to_onnx"):
            patch.setattr(subjects, form, remembering(form))
        patch.setattr("typer.echo", printed.append)
        durations = ("--duration", 0.2, "--duration", 0.1, "--duration", 0.2)
        outputs = ("--json", out / "l.json", "--markdown", out / "l.md")
        options = ("--threads", 1, "--rounds", 2, "--warmup", 1)
        assert asr_bench(patch, "latency", checkpoint, *durations, *options, *outputs) == 0
    return Run(
        "\n".join(printed),
        (out / "l.md").read_text(encoding="utf-8"),
        json.loads((out / "l.json").read_text(encoding="utf-8")),
        {path.name for path in out.iterdir()},
        exports,
    )


def test_all_forms_at_all_durations(run: Run) -> None:
    measured = [(row["backend"], row["threads"], row["duration"]) for row in run.document["rows"]]
    forms = (EAGER, TORCHSCRIPT, ONNX)
    assert measured == [(form, 1, duration) for duration in (0.2, 0.1) for form in forms]
    assert all(row["model"] == "best" for row in run.document["rows"])
    assert all(len(row["samples_ms"]) == 2 for row in run.document["rows"])
    assert all(min(row["samples_ms"]) > 0 for row in run.document["rows"])


def test_outputs(run: Run, checkpoint: Path) -> None:
    assert run.left == {"l.json", "l.md"}
    assert run.table.count("ONNX Runtime") == 2
    assert run.markdown.count("| best | ONNX Runtime | 1 |") == 2
    assert run.document["models"][0]["checkpoint_sha256"]
    assert "random weights" not in run.table
    assert run.document["environment"]["command"].startswith(f"asr-bench latency {checkpoint}")
    assert set(run.document["sgemm"][0]["samples_gflops"]) == {"sgemm torch", "sgemm onnxruntime"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "huge"], "unknown preset 'huge'; choose from: edge, base"),
        (["nowhere"], "nowhere is not a checkpoint"),
        (["nowhere", "--preset", "edge"], "not both"),
        (["--duration", "0"], "duration must be more than 0"),
        (["--duration", "-3"], "not -3"),
        (["--threads", "0"], "threads must be 1 to"),
        (["--rounds", "0"], "rounds must be"),
        (["--warmup", "-1"], "warmup must be"),
        (["--json", "missing/l.json"], "the folder missing does not exist"),
        (["--markdown", "."], "is a folder"),
        (["--json", "out", "--markdown", "./out"], "out is asked for twice"),
    ],
)
def test_bad_input_is_one_line(monkeypatch, tmp_path, capsys, arguments, message) -> None:
    def measured_anyway(*_: object) -> None:
        raise AssertionError("it should have been refused before")

    monkeypatch.setattr(subjects, "prepare", measured_anyway)
    monkeypatch.chdir(tmp_path)
    assert asr_bench(monkeypatch, "latency", *arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("asr-bench: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_checking_the_outputs_leaves_them_alone(monkeypatch, tmp_path) -> None:
    old = tmp_path / "l.json"
    old.write_text("old")
    arguments = ("latency", "nowhere", "--json", old, "--markdown", tmp_path / "l.md")
    assert asr_bench(monkeypatch, *arguments) == 1
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


def test_latency_is_a_subcommand(monkeypatch, capsys) -> None:
    assert asr_bench(monkeypatch, "--help") == 0
    assert "latency" in capsys.readouterr().out


def test_random_weights_are_always_the_same(monkeypatch, tiny) -> None:
    monkeypatch.setitem(PRESETS, "tiny", tiny)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = random_checkpoint("tiny")
    assert torch.equal(torch.rand(1), expected)  # the caller's random numbers are left alone
    second = random_checkpoint("tiny")
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert first.sha256 == ""


def shifted(model: onnx.ModelProto) -> onnx.ModelProto:
    """With log-probabilities that are 0.001 too high."""
    clone = onnx.ModelProto()
    clone.CopyFrom(model)
    last = next(node for node in clone.graph.node if "logprobs" in node.output)
    last.output[:] = ["exact" if name == "logprobs" else name for name in last.output]
    clone.graph.initializer.append(numpy_helper.from_array(np.array([1e-3], np.float32), "shift"))
    clone.graph.node.append(helper.make_node("Add", ["exact", "shift"], ["logprobs"]))
    return clone


def test_a_wrong_model_is_never_timed(
    monkeypatch: pytest.MonkeyPatch, run: Run, checkpoint: Path
) -> None:
    source = load_checkpoint(checkpoint)
    module, model = run.exports["to_torchscript"], run.exports["to_onnx"]
    other_weights = Checkpoint(ResCNNBiGRU(source.model.config).eval())
    wrong_module = to_torchscript(other_weights.model)
    for modules, models, right in (
        (module, model, True),
        (wrong_module, model, False),
        (module, shifted(model), False),
    ):
        monkeypatch.setattr(subjects, "to_torchscript", lambda _, found=modules: found)
        monkeypatch.setattr(subjects, "to_onnx", lambda _, found=models: found)
        expected = contextlib.nullcontext() if right else pytest.raises(ParityError, match="differ")
        with expected:
            subjects.prepare("best", source, [1])
