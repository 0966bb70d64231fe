"""A model with a phoneme head, in every form: a third output, checked like the letters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from asr_export import FORMATS, ExportError, ExportOptions, Precision, export
from asr_export.formats.registry import load_backend
from asr_export.loading.backends import OnnxBackend, TorchBackend, all_heads
from asr_export.loading.model_files import load_torchscript
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.check_export import check_export
from asr_export.verification.probe import probe_signal
from asr_runtime.language.phonemes import PHONEMES
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU

pytestmark = pytest.mark.usefixtures("short_checks")

LETTERS, CLASSES = 29, 29 + len(PHONEMES) + 1


@pytest.fixture(scope="module")
def two_heads(tiny_config: ModelConfig) -> Checkpoint:
    torch.manual_seed(3)
    model = ResCNNBiGRU(replace(tiny_config, phonemes=len(PHONEMES))).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
        model.front_end.mean.fill_(-6.0)
        model.front_end.std.fill_(4.0)
    return Checkpoint(model, {}, "0" * 64)


@pytest.mark.parametrize("name", [row.example for row in FORMATS])
def test_every_format_gives_phonemes_beside_letters(
    two_heads: Checkpoint, tmp_path: Path, name: str
) -> None:
    assert export(two_heads, tmp_path / name).passed
    signals = np.stack([probe_signal(1.3, 1), probe_signal(1.3, 2)])
    lengths = np.array([signals.shape[1], 9_000])
    backend = load_backend(tmp_path / name)
    wanted, wanted_lengths = all_heads(TorchBackend(two_heads.model))(signals, lengths)
    found, found_lengths = all_heads(backend)(signals, lengths)
    letters, _ = backend(signals, lengths)
    assert wanted.shape[2] == found.shape[2] == CLASSES
    np.testing.assert_array_equal(found_lengths, wanted_lengths)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    np.testing.assert_array_equal(letters, found[:, :, :LETTERS])
    # Past the end both heads say their blank.
    rest = found[1, int(found_lengths[1]) :]
    assert (rest[:, LETTERS - 1] == 0).all()
    assert (rest[:, CLASSES - 1] == 0).all()


def test_int8_torchscript_has_both(two_heads: Checkpoint, tmp_path: Path) -> None:
    export(two_heads, tmp_path / "model.pt", ExportOptions(Precision.int8))
    module, _ = load_torchscript(tmp_path / "model.pt")
    outputs = module(torch.zeros(2, 16_000), torch.tensor([16_000, 8_000]))
    assert [tuple(output.shape) for output in outputs] == [(2, 34, 29), (2,), (2, 34, 40)]
    assert outputs[2][1, 20:, -1].eq(0).all()


def test_a_stream_has_both(two_heads: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    options = ExportOptions(Precision.int8, chunking=Chunking(9, 5))
    report = export(two_heads, path, options)
    assert report.streaming is not None
    assert report.streaming.passed
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = {value.name: value.shape for value in session.get_outputs()}
    assert outputs == {
        "logprobs": ["batch", "frames", 29],
        "output_lengths": ["batch"],
        "phoneme_logprobs": ["batch", "frames", 40],
        "next_state": ["batch", 2, 24],
    }
    entry = next(entry for entry in onnx.load(path).metadata_props if entry.key == "model_card")
    assert json.loads(entry.value)["phonemes"] == list(PHONEMES)


def test_a_wrong_phoneme_head_is_noticed(two_heads: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export(two_heads, path)
    model = onnx.load(path)
    bias = next(
        item for item in model.graph.initializer if item.name == "phoneme_classifier.3.bias"
    )
    values = onnx.numpy_helper.to_array(bias).copy()
    values[5] += 0.01
    bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
    onnx.save(model, path)
    source = QuantizedCheckpoint(two_heads)
    report = check_export(source, OnnxBackend(path), batches=((0.5,), (0.3, 0.2)))
    assert not report.passed


def test_unknown_phonemes_are_refused(tiny_config: ModelConfig) -> None:
    model = ResCNNBiGRU(replace(tiny_config, phonemes=5))
    with pytest.raises(ExportError, match="has 5 phonemes, this version knows 39"):
        _ = QuantizedCheckpoint(Checkpoint(model)).card
