"""``asr_export`` from Python: one function for every format, options that travel, an example."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import asr_export
from asr_export import (
    FORMATS,
    Arithmetic,
    ExportError,
    ExportOptions,
    Precision,
    export,
    format_of,
    read_card,
    stream_chunking,
)
from asr_export.quantization.weights import round_weights
from asr_export.source import quantized_checkpoint
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.check_export import check_export
from asr_export.verification.probe import probe_signal
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.network import ResCNNBiGRU

DOCUMENT = Path(__file__).parents[2] / "docs" / "export-forms.md"


@pytest.mark.usefixtures("short_checks")
def test_the_documented_example_runs(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    code = text.partition("From Python")[2].partition("```python\n")[2].partition("```")[0]
    assert "runs/edge/best" in code
    code = code.replace("runs/edge/best", str(tiny_checkpoint))
    code = code.replace("model.onnx", str(tmp_path / "model.onnx"))
    samples = probe_signal(1.0, 0)
    names: dict[str, Any] = {"samples": samples, "lengths": np.array([samples.size])}
    exec(code, names)
    printed = capsys.readouterr().out
    assert "rounding to int8" in printed
    assert "2 recurrent layers" in printed
    assert names["model"].card.precision == "int8"


def test_everything_that_is_offered_exists_and_nothing_is_loaded_before() -> None:
    for name in asr_export.__all__:
        assert getattr(asr_export, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        asr_export.nothing  # noqa: B018
    program = (
        "import sys, asr_export, asr_export.cli\n"
        "print({'torch', 'onnx', 'onnxruntime', 'asr_train.model.network'} & sys.modules.keys())"
    )
    run = [sys.executable, "-c", program]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "set()\n"


class TestOptions:
    def test_what_a_format_does_not_come_in_is_refused(
        self, loaded: Checkpoint, tmp_path: Path
    ) -> None:
        for name, options, message in (
            ("a.pt", ExportOptions(Precision.fp16), "comes in fp32 and int8; choose one of them"),
            ("a.pt2", ExportOptions(Precision.int8), "torch.export comes in fp32"),
            ("a.pt", ExportOptions(chunking=Chunking(9, 5)), "stream; export to ONNX or ORT"),
            (
                "a.ort",
                ExportOptions(Precision.fp16, Arithmetic.fp16),
                "ONNX does: asr-export onnx --precision fp16 --arithmetic fp16",
            ),
            (
                "a.onnx",
                ExportOptions(Precision.int8, Arithmetic.int8),
                "TorchScript does: asr-export torchscript --precision int8",
            ),
            (
                "a.onnx",
                ExportOptions(arithmetic=Arithmetic.fp16),
                "needs float16 weights; give --precision fp16 as well",
            ),
        ):
            with pytest.raises(ExportError) as refused:
                export(loaded, tmp_path / name, options)
            assert message in str(refused.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_format_chooses_what_was_left_open(self) -> None:
        int8 = ExportOptions(Precision.int8)
        settled = {row.name: row.settle(int8) for row in FORMATS if row.name != "pt2"}
        assert settled == {
            "onnx": replace(int8, arithmetic=Arithmetic.fp32),
            "ort": replace(int8, arithmetic=Arithmetic.fp32),
            "torchscript": replace(int8, arithmetic=Arithmetic.int8),
        }

    def test_the_card_tells_them(self, loaded: Checkpoint) -> None:
        """What an exported file says about itself is what it was exported with."""
        options = ExportOptions(
            Precision.fp16, Arithmetic.fp16, stream_chunking(loaded.model.config), "# Text"
        )
        assert options.chunking == Chunking(21, 11)
        assert ExportOptions.from_card(QuantizedCheckpoint(loaded, options).card) == options


def test_names_choose_formats(files: dict[str, Path]) -> None:
    names = ("a.onnx", "A.ONNX", "a.ort", "a.pt2", "a.pt", "a.ts", "a")
    assert [format_of(Path(name)).name for name in names] == [
        *("onnx", "onnx", "ort", "pt2"),
        *("torchscript", "torchscript", "torchscript"),
    ]
    assert read_card(str(files["int8"])).precision == "int8"


def test_weights_are_rounded_once(
    loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and all that it is compared with, on whole recordings and on a stream."""
    calls = []

    def counted(model: ResCNNBiGRU, precision: Precision) -> ResCNNBiGRU:
        calls.append(precision)
        return round_weights(model, precision)

    monkeypatch.setattr(quantized_checkpoint, "round_weights", counted)
    short = ((0.3,),)
    monkeypatch.setattr(
        "asr_export.exporting.check_export",
        lambda source, candidate: check_export(source, candidate, batches=short),
    )
    options = ExportOptions(Precision.int8, chunking=Chunking(9, 5))
    report = export(loaded, tmp_path / "model.onnx", options)
    assert report.streaming is not None
    assert report.quantization is not None
    assert calls == [Precision.int8]
