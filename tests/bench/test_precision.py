import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import numpy as np
import onnx
import pytest
import torch

from asr_bench import cli
from asr_bench.errors import BenchError
from asr_bench.model_forms import forms
from asr_bench.model_forms.form_process import LOADERS, FormProcess
from asr_bench.model_forms.forms import FORMS, Form
from asr_bench.model_forms.latency import LatencySettings
from asr_bench.model_forms.precision import CHECKPOINT, Accuracy, Cost, measure_cost
from asr_bench.model_forms.precision_report import PrecisionReport
from asr_export import export
from asr_export.formats.onnx import to_onnx
from asr_export.quantization.precision import Precision
from asr_export.source.options import ExportOptions
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint


def asr_bench(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code."""
    monkeypatch.setattr(sys, "argv", ["asr-bench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def save_int8(checkpoint: Checkpoint, path: Path) -> None:
    """What ``export`` writes, without its half a minute of checks."""
    onnx.save(to_onnx(QuantizedCheckpoint(checkpoint, ExportOptions(Precision.int8))), path)


@pytest.fixture(scope="module")
def two_forms() -> tuple[Form, ...]:
    return (
        Form("TorchScript", Precision.fp32, "model.pt", export),
        Form("ONNX", Precision.int8, "model.onnx", save_int8),
    )


def test_every_form_and_precision_is_measured_and_can_be_loaded() -> None:
    assert FORMS[0].label == "ONNX fp32"
    labels = {form.label for form in FORMS}
    assert {"ONNX fp32", "ONNX fp16", "ONNX int8", "TorchScript fp32"} <= labels
    assert {"ORT int8", "TorchScript int8", "torch.export fp32"} <= labels
    assert len({form.label for form in FORMS}) == len(FORMS)
    assert {Path(form.file_name).suffix for form in FORMS} <= set(LOADERS)


def test_the_whole_command(
    monkeypatch, tiny_checkpoint, two_forms, write_manifest, tmp_path, capfd
) -> None:
    """Real exports, real processes, real clock; two forms, for exporting takes its time."""
    monkeypatch.setattr(forms, "FORMS", two_forms)
    manifest = write_manifest(["the cat", "so it is", "who"])
    out = tmp_path / "out"
    out.mkdir()
    outputs = ("--json", out / "p.json", "--markdown", out / "p.md", "--manifest", manifest)
    options = ("--seconds", 0.3, "--rounds", 3, "--warmup", 1)
    assert asr_bench(monkeypatch, "precision", tiny_checkpoint, *options, *outputs) == 0
    assert {path.name for path in out.iterdir()} == {"p.json", "p.md"}
    document = json.loads((out / "p.json").read_text(encoding="utf-8"))
    script, int8 = document["rows"]
    assert (script["form"], script["precision"]) == ("TorchScript", "fp32")
    assert (int8["form"], int8["precision"]) == ("ONNX", "int8")
    assert script["size_ratio"] == script["latency_ratio"] == 1
    assert int8["size_ratio"] == int8["bytes"] / script["bytes"] < 1
    for row in (script, int8):
        assert len(row["samples_ms"]) == 3
        assert min(row["samples_ms"]) > 0
        assert row["real_time_factor"] == pytest.approx(np.median(row["samples_ms"]) / 300)
        assert 0 <= row["accuracy"]["equal_texts"] <= 1
    # Only the one process holds PyTorch.
    assert script["peak_memory"] > int8["peak_memory"] + 50e6
    assert script["accuracy"]["max_difference"] < 1e-4 < int8["accuracy"]["max_difference"]
    assert script["accuracy"]["equal_texts"] == 1
    assert script["accuracy"]["word_error_rate"] == document["checkpoint"]["word_error_rate"]
    assert document["recordings"]["count"] == 3
    stdout, _ = capfd.readouterr()
    assert "on 3 recordings" in stdout
    assert (out / "p.md").read_text(encoding="utf-8").count("| int8 |") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "huge"], "unknown preset 'huge'"),
        (["nowhere"], "nowhere is not a checkpoint"),
        (["nowhere", "--preset", "edge"], "not both"),
        (["--seconds", "0"], "duration must be more than 0"),
        (["--rounds", "0"], "rounds must be"),
        (["--json", "out", "--markdown", "out"], "asked for twice"),
        (["--preset", "edge", "--manifest", "dev.jsonl"], "random weights have no word error rate"),
    ],
)
def test_bad_input_is_one_line(monkeypatch, tmp_path, capsys, arguments, message) -> None:
    def exported_anyway(*_: object, **__: object) -> None:
        raise AssertionError("it should have been refused before")

    monkeypatch.setattr(forms, "export_forms", exported_anyway)
    monkeypatch.chdir(tmp_path)
    assert asr_bench(monkeypatch, "precision", *arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("asr-bench: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_fails_is_named(tmp_path, capfd) -> None:
    broken, signal = tmp_path / "model.onnx", tmp_path / "signal.npy"
    broken.write_bytes(b"\x93nothing")
    np.save(signal, np.zeros(100, np.float32))
    with pytest.raises(BenchError, match=r"the process that runs model\.onnx ended with code 1"):
        FormProcess(broken, signal)
    assert "is not an ONNX model" in capfd.readouterr().err


def test_the_process_holds_what_the_form_needs_and_tells_its_peak() -> None:
    program = (
        "import sys\n"
        "from asr_bench.model_forms.form_process import np, peak_memory\n"
        "before = peak_memory()\n"
        "ballast = np.ones(8_000_000)\n"
        "del ballast\n"
        "print(peak_memory() - before, *sys.modules)\n"
    )
    # As a measurement does: from a process that holds PyTorch.
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(output[0]) == pytest.approx(64e6, rel=0.1)
    assert "numpy" in output
    assert not {"torch", "onnx", "onnxruntime", "asr_export", "tqdm", "typer"} & set(output)


def test_torchscript_in_the_process_gives_what_the_model_gives(
    tiny_checkpoint, two_forms, tmp_path
) -> None:
    checkpoint = load_checkpoint(tiny_checkpoint)
    path = tmp_path / "model.pt"
    two_forms[0].export(checkpoint, path)
    samples = torch.randn(8000)
    logprobs, lengths = LOADERS[".pt"](path)(samples.numpy())  # type: ignore[misc]
    wanted, _ = checkpoint.model(samples[None, :], torch.tensor([8000]))
    torch.testing.assert_close(logprobs, wanted, atol=1e-4, rtol=0)
    assert lengths.tolist() == [wanted.shape[1]]


class ScriptedProcess:
    """Takes the next of its seconds at every run."""

    alive: list[str] = []  # noqa: RUF012 - over all of them
    ran: list[str] = []  # noqa: RUF012

    def __init__(self, model: Path, signal: Path) -> None:
        assert np.load(signal).shape == (4 * 16_000,)
        self.name = model.name
        self.alive.append(self.name)
        self.script = iter({"a": [9, 2, 2, 8], "b": [9, 1, 1, 4]}[self.name])

    def run(self) -> float:
        self.ran.append(self.name)
        return float(next(self.script))

    def peak_memory(self) -> int:
        return {"a": 300, "b": 100}[self.name]

    def __enter__(self) -> "ScriptedProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.alive.remove(self.name)


@pytest.fixture
def costs(settings: LatencySettings, tmp_path: Path) -> dict[str, Cost]:
    ScriptedProcess.ran.clear()
    files = {"A fp32": tmp_path / "a", "B int8": tmp_path / "b"}
    return measure_cost(files, settings, tmp_path, start=ScriptedProcess)  # type: ignore[arg-type]


def test_the_forms_share_the_rounds(costs: dict[str, Cost]) -> None:
    assert costs == {
        "A fp32": Cost(pytest.approx((2, 2, 8)), 300),
        "B int8": Cost(pytest.approx((1, 1, 4)), 100),
    }
    assert ScriptedProcess.ran == ["b", "a", "a", "b", "b", "a", "a", "b"]
    assert ScriptedProcess.alive == []


@pytest.fixture
def report(environment, settings, costs) -> PrecisionReport:
    def nothing(checkpoint: Checkpoint, path: Path) -> None:
        pass

    return PrecisionReport(
        environment=environment,
        load_average_after=0.9,
        model="tiny",
        checkpoint_sha256="",
        parameters=1000,
        settings=settings,
        recordings=(40, 1800.0),
        forms=(
            Form("A", Precision.fp32, "a", nothing),
            Form("B", Precision.int8, "b", nothing),
        ),
        sizes={"A fp32": 8_000_000, "B int8": 2_000_000},
        costs=costs,
        accuracies={
            CHECKPOINT: Accuracy(0.0, 0.0, 0.25, 1.0),
            "A fp32": Accuracy(1e-5, 1e-6, 0.25, 1.0),
            "B int8": Accuracy(0.5, 0.02, 0.2575, 0.975),
        },
    )


def test_figures_of_the_table(report: PrecisionReport) -> None:
    header, first, second, *notes = report.table().splitlines()
    assert header.split()[:3] == ["form", "weights", "MB"]
    words = first.split()
    assert words[:6] == ["A", "fp32", "8.00", "1.00", "0.5000", "1.00"]
    words = second.split()
    assert words[:6] == ["B", "int8", "2.00", "0.25", "0.2500", "0.50"]
    assert words[6:] == ["0", "25.75", "97.5%", "5.0e-01", "2.0e-02", "noisy"]
    assert any("40 recordings (0.50 h)" in note and "25.00 %" in note for note in notes)
    assert any("over A fp32" in note for note in notes)
    assert "tiny: 0.00 M parameters, random weights" in notes


def test_without_recordings_there_is_no_error_rate(report: PrecisionReport) -> None:
    bare = dataclasses.replace(
        report,
        recordings=(0, 0.0),
        accuracies=dict.fromkeys(report.accuracies, Accuracy(1e-5, 1e-6)),
        costs={label: Cost(cost.seconds, None) for label, cost in report.costs.items()},
    )
    assert bare.table().splitlines()[1].split()[6:9] == ["-", "-", "-"]
    assert "on a generated signal" in bare.table()
    json.dumps(bare.to_dict())
