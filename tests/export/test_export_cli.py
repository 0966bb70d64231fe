"""``asr-export`` from the outside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from asr_runtime import Recognizer
from asr_runtime.model_file.contract import CARD_KEY

Run = Callable[..., tuple[int, str, str]]


def _fails(result: tuple[int, str, str], message: str) -> None:
    code, _, stderr = result
    assert code == 1
    assert stderr.count("\n") == 1, stderr
    assert stderr.startswith("asr-export: ")
    assert message in stderr


@pytest.fixture(scope="module")
def models(export_tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("model.onnx", "model.pt"):
        shutil.copytree(export_tiny(name).parent, folder, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize(("command", "name"), [("onnx", "model.onnx"), ("torchscript", "model.pt")])
def test_export_prints_the_parity_table(
    asr_export: Run, tiny_checkpoint: Path, tmp_path: Path, command: str, name: str
) -> None:
    code, stdout, stderr = asr_export(command, tiny_checkpoint, tmp_path / name)
    assert code == 0, stderr
    assert stderr == ""
    assert "max |d|" in stdout
    assert "0.05 0.31 3 11.1 35" in stdout
    assert stdout.splitlines()[-1].startswith(f"wrote {tmp_path / name}")


@pytest.mark.usefixtures("short_checks")
def test_documentation_travels_in_the_card(
    asr_export: Run, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    text = tmp_path / "CARD.md"
    text.write_text("# A tiny model\n\nTrained on nothing, for nothing.\n")
    out = tmp_path / "model.onnx"
    code, _, stderr = asr_export("onnx", tiny_checkpoint, out, "--model-card", text)
    assert (code, stderr) == (0, "")
    code, stdout, _ = asr_export("inspect", out)
    assert stdout.rstrip().endswith("# A tiny model\n\nTrained on nothing, for nothing.")
    assert Recognizer.load(out, device="cpu").card.documentation == text.read_text()
    missing = asr_export("onnx", tiny_checkpoint, out, "--model-card", tmp_path / "no.md")
    _fails(missing, "no.md: cannot be read as text")


@pytest.mark.parametrize("name", ["model.onnx", "model.pt"])
def test_verify_and_inspect(
    asr_export: Run, tiny_checkpoint: Path, models: Path, tmp_path: Path, name: str
) -> None:
    code, stdout, stderr = asr_export(
        "verify", tiny_checkpoint, models / name, "--json", tmp_path / "report.json"
    )
    assert (code, stderr) == (0, "")
    assert "equal to" in stdout.splitlines()[-1]
    assert json.loads((tmp_path / "report.json").read_text())["passed"]

    code, stdout, _ = asr_export("inspect", models / name, "--json")
    report = json.loads(stdout)
    assert code == 0
    assert report["bytes"] == (models / name).stat().st_size
    assert len(report["sha256"]) == 64
    assert report["model_card"]["frame_stride"] == 480
    assert report["operations_per_second"]["total"] > 0
    code, stdout, _ = asr_export("inspect", models / name)
    assert code == 0
    assert report["sha256"] in stdout
    if name == "model.onnx":
        assert report["operators"]["GRU"] == 2
        assert "gru_blocks.1" in stdout
        assert report["inputs"]["input_values"] == "float [batch, samples]"
    else:
        assert report["operators"]["gru"] == 4  # a direction each
        assert "stored weights" not in stdout


def test_verify_finds_another_models_weights(
    asr_export: Run, tiny_checkpoint: Path, models: Path, tmp_path: Path
) -> None:
    import safetensors.torch

    from asr_train.checkpoints.checkpoint import WEIGHTS

    other = Path(shutil.copytree(tiny_checkpoint, tmp_path / "other"))
    weights = safetensors.torch.load_file(other / WEIGHTS)
    weights["classifier.3.bias"][0] += 1.0
    safetensors.torch.save_file(weights, other / WEIGHTS)
    code, stdout, stderr = asr_export("verify", other, models / "model.onnx")
    assert code == 1
    assert "FAILED" in stdout
    assert "the model's card names another checkpoint" in stderr
    assert "differs from the checkpoint" in stderr


def test_bad_input_is_one_clear_line(
    asr_export: Run, tiny_checkpoint: Path, models: Path, tmp_path: Path
) -> None:
    ckpt = tiny_checkpoint
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"\x93garbage" * 40)
    not_script = tmp_path / "garbage.pt"
    not_script.write_bytes(b"\x93garbage" * 40)
    bare = tmp_path / "bare.onnx"
    model = onnx.load(models / "model.onnx")
    del model.metadata_props[:]
    onnx.save(model, bare)
    newer = tmp_path / "newer.onnx"
    model.metadata_props.add(key=CARD_KEY, value='{"format_version": 2, "sound": "other"}')
    onnx.save(model, newer)
    file = tmp_path / "file"
    file.touch()

    _fails(asr_export("onnx", tmp_path, tmp_path / "a.onnx"), "is not a checkpoint")
    _fails(asr_export("onnx", ckpt, tmp_path / "a.pt"), "must end in .onnx")
    _fails(asr_export("torchscript", ckpt, tmp_path / "a.onnx"), "must not end in .onnx")
    _fails(asr_export("onnx", ckpt, tmp_path / "none" / "a.onnx"), "does not exist")
    _fails(asr_export("torchscript", ckpt, file / "a.pt"), "cannot write")
    _fails(asr_export("verify", ckpt, tmp_path / "none.onnx"), "does not exist")
    _fails(asr_export("inspect", garbage), "is not an ONNX file")
    _fails(asr_export("inspect", not_script), "is not a TorchScript file")
    _fails(asr_export("inspect", bare), "carries no model_card")
    _fails(asr_export("inspect", newer), "newer.onnx: it has model format 2 and this version reads")
    _fails(asr_export("inspect", tmp_path), "is a folder")
    assert not (tmp_path / "a.onnx").exists()
