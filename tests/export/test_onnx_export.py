"""The exported ONNX file keeps the contract that devices and other loaders rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch

from asr_export import ExportError, ParityError, export
from asr_export.formats import onnx as onnx_format
from asr_export.formats.onnx import OnnxFormat
from asr_export.graph.onnx_gru import OnnxBidirectionalGRU, bidirectional_gru
from asr_export.loading.backends import OnnxBackend, TorchBackend
from asr_export.source.options import ExportOptions
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.parity import check_parity
from asr_export.verification.probe import probe_signal
from asr_runtime.model_file.contract import CARD_KEY
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from asr_train.checkpoints.quantization import quantize_checkpoint
from asr_train.model.config import WeightQuantization
from asr_train.model.network import BidirectionalGRU


@pytest.fixture(scope="module")
def exported(export_tiny: Callable[..., Path]) -> Path:
    return export_tiny("model.onnx")


def test_names_types_and_dynamic_shapes(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    inputs = {value.name: (value.type, value.shape) for value in session.get_inputs()}
    outputs = {value.name: (value.type, value.shape) for value in session.get_outputs()}
    assert inputs == {
        "input_values": ("tensor(float)", ["batch", "samples"]),
        "input_lengths": ("tensor(int64)", ["batch"]),
    }
    assert outputs == {
        "logprobs": ("tensor(float)", ["batch", "frames", 29]),
        "output_lengths": ("tensor(int64)", ["batch"]),
    }


def test_one_gru_node_a_layer_with_lengths(exported: Path, loaded: Checkpoint) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [18]
    nodes = [node for node in model.graph.node if node.op_type == "GRU"]
    assert len(nodes) == loaded.model.config.gru_layers
    assert all(node.input[4] for node in nodes), "sequence_lens is missing"
    assert not {node.op_type for node in model.graph.node} & {"Loop", "Scan", "If", "STFT"}


def test_the_card_tells_all_that_a_runtime_needs(exported: Path, loaded: Checkpoint) -> None:
    metadata = {entry.key: entry.value for entry in onnx.load(exported).metadata_props}
    assert list(metadata) == [CARD_KEY]
    card = json.loads(metadata[CARD_KEY])
    assert card["format_version"] == 1
    assert card["sample_rate"] == 16_000
    assert card["frame_stride"] == 480
    assert card["vocabulary"] == [*"' abcdefghijklmnopqrstuvwxyz", "<blk>"]
    assert card["blank_id"] == 28
    assert card["precision"] == "fp32"
    assert card["architecture"]["gru_hidden"] == loaded.model.config.gru_hidden
    assert card["checkpoint_sha256"] == loaded.sha256
    assert card["word_error_rate"] == {"dev_greedy": 0.5}
    assert card["versions"]["torch"].startswith("2.11")


def test_nothing_of_the_exporting_machine_is_left_in_the_file(exported: Path) -> None:
    content = exported.read_bytes()
    for trace in (b"site-packages", b".py", str(Path.home()).encode() + b"/", b"pkg.torch"):
        assert trace not in content, trace


@pytest.mark.parametrize("samples", [800, 801, 16_000, 48_123])
def test_frame_count(exported: Path, samples: int) -> None:
    values = np.zeros((1, samples), np.float32)
    logprobs, lengths = OnnxBackend(exported)(values, np.array([samples]))
    assert lengths.tolist() == [samples // 480 + 1]
    assert logprobs.shape == (1, samples // 480 + 1, 29)


def test_parity_report_is_saved(exported: Path) -> None:
    report = json.loads(exported.with_name("model.onnx.parity.json").read_text())
    assert report["passed"]
    assert {len(row["seconds"]) for row in report["rows"]} == {1, 2, 5}
    seconds = [value for row in report["rows"] for value in row["seconds"]]
    assert (min(seconds), max(seconds)) == (0.05, 35.0)
    assert all(0 < row["max_difference"] <= 1e-4 for row in report["rows"])
    assert all(row["max_batching_difference"] <= 1e-4 for row in report["rows"])


def test_parity_notices_a_model_that_reads_padding(loaded: Checkpoint) -> None:
    good = TorchBackend(loaded.model)

    def leaky(values: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logprobs, _ = good(values, np.full_like(lengths, values.shape[1]))
        return logprobs, lengths // 480 + 1

    batches = [(1.0,), (0.5, 2.0)]
    alone, mixed = check_parity(good, leaky, loaded.model.config, batches=batches).rows
    assert alone.passes(1e-4)
    assert not mixed.passes(1e-4)


def test_parity_is_not_fooled_by_nan_or_wrong_lengths(loaded: Checkpoint) -> None:
    good = TorchBackend(loaded.model)

    def broken(values: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logprobs, frames = good(values, lengths)
        return logprobs * np.nan, frames

    def short(values: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logprobs, frames = good(values, lengths)
        return logprobs, frames - 1

    for candidate in (broken, short):
        report = check_parity(good, candidate, loaded.model.config, batches=[(0.5,)])
        assert not report.passed
        with pytest.raises(ParityError, match="differs from the checkpoint"):
            report.require()


@pytest.mark.usefixtures("short_checks")
def test_a_failed_check_leaves_no_file(
    loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = onnx_format.trace

    def sabotage(*arguments: Any) -> onnx.ModelProto:
        graph = original(*arguments)
        (bias,) = (item for item in graph.graph.initializer if item.name == "gru_blocks.1.gru.bias")
        values = onnx.numpy_helper.to_array(bias) + np.float32(0.05)
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        return graph

    monkeypatch.setattr(onnx_format, "trace", sabotage)
    with pytest.raises(ParityError):
        export(loaded, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_operator_equals_the_layer_it_stands_for() -> None:
    torch.manual_seed(0)
    layer = BidirectionalGRU(5, 7)
    x, lengths = torch.randn(3, 8, 5), torch.tensor([8, 5, 1])
    found, wanted = OnnxBidirectionalGRU(layer)(x, lengths), layer(x, lengths)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[row, :length], wanted[row, :length])
    torch.library.opcheck(
        bidirectional_gru,
        (
            x.transpose(0, 1).contiguous(),
            torch.randn(2, 21, 5),
            torch.randn(2, 21, 7),
            torch.randn(2, 42),
            lengths.int(),
            7,
        ),
    )


def test_float16_weights_are_stored_as_such_and_change_nothing(
    tiny_checkpoint: Path, exported: Path, tmp_path: Path
) -> None:
    quantize_checkpoint(tiny_checkpoint, tmp_path / "half", WeightQuantization.fp16)
    half = load_checkpoint(tmp_path / "half")
    report = export(half, tmp_path / "model.onnx")
    assert report.passed
    kinds = {
        tensor.data_type
        for tensor in onnx.load(tmp_path / "model.onnx").graph.initializer
        if tensor.name.endswith("_float16")
    }
    assert kinds == {onnx.TensorProto.FLOAT16}
    gru = sum(weight.numel() for weight in half.model.gru_blocks.parameters())
    saved = exported.stat().st_size - (tmp_path / "model.onnx").stat().st_size
    assert saved > 1.5 * gru


class TestOnnxAsr:
    """onnx-asr's raw-waveform CTC type loads the folder unmodified."""

    def test_companion_files(self, exported: Path) -> None:
        lines = (exported.parent / "vocab.txt").read_text(encoding="utf-8").splitlines()
        assert lines[:3] == ["' 0", "▁ 1", "a 2"]
        assert lines[27:] == ["z 27", "<blk> 28"]
        config = json.loads((exported.parent / "config.json").read_text())
        assert config == {"model_type": "wav2vec2-ctc", "subsampling_factor": 480}

    def test_foreign_files_are_not_overwritten(self, loaded: Checkpoint, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text('{"mine": true}')
        with pytest.raises(ExportError, match=r"config\.json belongs to something else"):
            export(loaded, tmp_path / "model.onnx")
        assert [path.name for path in tmp_path.iterdir()] == ["config.json"]

    def test_an_earlier_export_is_replaced_with_its_files(
        self, loaded: Checkpoint, exported: Path, tmp_path: Path
    ) -> None:
        model, config = tmp_path / "model.onnx", tmp_path / "config.json"
        model.write_bytes(exported.read_bytes())
        earlier = '{"model_type": "wav2vec2-ctc", "subsampling_factor": 160}'
        config.write_text(earlier)
        source = QuantizedCheckpoint(loaded, ExportOptions())
        OnnxFormat().check_destination(source, model)
        (tmp_path / "other.onnx").touch()
        with pytest.raises(ExportError, match=r"belongs to another model, such as other\.onnx"):
            OnnxFormat().check_destination(source, model)
        (tmp_path / "other.onnx").unlink()
        config.write_text('{"model_type": "mine"}')
        with pytest.raises(ExportError, match=r"config\.json belongs to something else"):
            OnnxFormat().check_destination(source, model)
        # Without a model of ours they may be anybody's.
        config.write_text(earlier)
        model.write_bytes(b"no model")
        with pytest.raises(ExportError, match=r"config\.json belongs to something else"):
            OnnxFormat().check_destination(source, model)

    def test_onnx_asr_itself(self, exported: Path, tmp_path: Path) -> None:
        onnx_asr = pytest.importorskip("onnx_asr")
        wave = tmp_path / "probe.wav"
        soundfile.write(wave, probe_signal(2.0, 0), 16_000, subtype="PCM_16")
        try:
            model = onnx_asr.load_model("wav2vec2-ctc", exported.parent)
        except onnx_asr.loader.ModelNotSupportedError:
            pytest.skip("the installed onnx-asr does not have the type wav2vec2-ctc yet")
        from asr_runtime import Recognizer

        wanted = Recognizer.load(exported, device="cpu").transcribe(wave).text
        assert model.recognize(str(wave)) == wanted
