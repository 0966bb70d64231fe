"""ONNX Runtime's own format: the same model, in a file that small builds of the engine read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_export import ParityError, export, read_card
from asr_export.formats import ort as ort_export
from asr_export.formats.registry import load_backend
from asr_export.loading.backends import OnnxBackend, TorchBackend
from asr_export.verification.probe import probe_signal
from asr_train.checkpoints.checkpoint import Checkpoint

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def ort_files(export_tiny: Callable[..., Path]) -> dict[str, Path]:
    """The tiny model in float32 and int8, with what lies beside it."""
    files = (export_tiny(f"{precision}.ort", precision) for precision in ("fp32", "int8"))
    return {path.name: path for file in files for path in file.parent.iterdir()}


def test_it_gives_what_the_checkpoint_gives(ort_files: dict[str, Path], loaded: Checkpoint) -> None:
    values, lengths = probe_signal(2.0, 3)[None, :], np.array([32_000])
    found, frames = load_backend(ort_files["fp32.ort"])(values, lengths)
    wanted, wanted_frames = TorchBackend(loaded.model)(values, lengths)
    assert frames.tolist() == wanted_frames.tolist()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_card_and_report_are_there(ort_files: dict[str, Path], loaded: Checkpoint) -> None:
    card = read_card(ort_files["int8.ort"])
    assert card.precision == "int8"
    assert card.checkpoint_sha256 == loaded.sha256
    assert {"fp32.ort.parity.json", "int8.ort.parity.json"} <= ort_files.keys()


def test_int8_stays_one_byte_a_weight(ort_files: dict[str, Path], loaded: Checkpoint) -> None:
    gru = sum(weight.numel() for weight in loaded.model.gru_blocks.parameters() if weight.ndim == 2)
    assert ort_files["fp32.ort"].stat().st_size - ort_files["int8.ort"].stat().st_size > 2.5 * gru


def test_required_operators_with_types_and_without_paths(ort_files: dict[str, Path]) -> None:
    text = ort_files["int8.required_operators.config"].read_text()
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("#")][1:] == ["# - int8.ort"]
    operators = {
        entry.partition("{")[0] for line in lines for entry in line.split(";")[-1].split(",")
    }
    assert {"GRU", "Conv", "MatMul", "LayerNormalization"} <= operators
    assert '"int8_t"' in text
    assert '"int8_t"' not in ort_files["fp32.required_operators.config"].read_text()


class TestSlimRuntime:
    def test_same_text_as_the_onnx_file(
        self, files: dict[str, Path], ort_files: dict[str, Path]
    ) -> None:
        from asr_runtime import Recognizer

        samples = probe_signal(6.0, 5)
        transcripts = [
            Recognizer.load(path, device="cpu").transcribe(samples, 16_000)
            for path in (files["int8"], ort_files["int8.ort"])
        ]
        assert transcripts[0].text
        assert transcripts[0].text == transcripts[1].text
        assert transcripts[0].confidence == pytest.approx(transcripts[1].confidence, abs=1e-4)

    def test_its_command(
        self,
        run_command_line: Run,
        files: dict[str, Path],
        ort_files: dict[str, Path],
        tmp_path: Path,
    ) -> None:
        from asr_runtime.command.cli import main

        wave = tmp_path / "probe.wav"
        soundfile.write(wave, probe_signal(2.0, 0), 16_000)
        runs = [
            run_command_line(main, wave, "--model", path, "--device", "cpu")
            for path in (files["int8"], ort_files["int8.ort"])
        ]
        assert runs[0] == runs[1]
        assert runs[1][0] == 0

    def test_garbage_is_one_clear_line(self, tmp_path: Path) -> None:
        from asr_runtime import ModelFileError, Recognizer

        path = tmp_path / "garbage.ort"
        path.write_bytes(b"\x93garbage" * 40)
        with pytest.raises(ModelFileError, match=r"garbage\.ort: ") as caught:
            Recognizer.load(path, device="cpu")
        assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("short_checks")
def test_a_failed_check_leaves_no_file(
    loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(OnnxBackend):
        def __call__(self, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            logprobs, lengths = super().__call__(*inputs)
            return logprobs + 0.01, lengths

    monkeypatch.setattr(ort_export, "OnnxBackend", Wrong)
    with pytest.raises(ParityError):
        export(loaded, tmp_path / "model.ort")
    assert list(tmp_path.iterdir()) == []


def test_command(
    asr_export: Run, tiny_checkpoint: Path, ort_files: dict[str, Path], tmp_path: Path
) -> None:
    code, _, stderr = asr_export("ort", tiny_checkpoint, tmp_path / "a.onnx")
    assert (code, stderr.count("\n")) == (1, 1)
    assert "must end in .ort" in stderr
    garbage = tmp_path / "garbage.ort"
    garbage.write_bytes(b"\x93garbage" * 40)
    code, _, stderr = asr_export("inspect", garbage)
    assert (code, stderr.count("\n")) == (1, 1)
    assert "cannot be run by ONNX Runtime" in stderr
    code, stdout, stderr = asr_export("verify", tiny_checkpoint, ort_files["int8.ort"])
    assert (code, stderr) == (0, "")
    assert stdout.splitlines()[-1].endswith("rounded to int8 within 0.0001")
