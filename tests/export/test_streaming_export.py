"""One exported file serves whole recordings and streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from asr_export import ExportOptions, ParityError, Precision, export, read_card
from asr_export.formats import onnx as onnx_format
from asr_export.graph.onnx_gru import OnnxBidirectionalGRU
from asr_export.loading.backends import OnnxBackend
from asr_export.verification.probe import probe_signal
from asr_export.verification.streaming_parity import stream
from asr_runtime.model_file.contract import ALL_FRAMES
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.network import BidirectionalGRU

CHUNKING = Chunking(9, 5)


@pytest.fixture(scope="module")
def exported(export_tiny: Callable[..., Path]) -> Path:
    path = export_tiny("model.onnx", "int8", (9, 5))
    report = json.loads(path.with_name("model.onnx.parity.json").read_text())
    assert report["streaming"]["passed"]
    return path


def test_two_inputs_are_enough_and_three_have_a_default(exported: Path) -> None:
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == ["input_values", "input_lengths"]
    optional = {value.name: value.shape for value in session.get_overridable_initializers()}
    assert optional == {
        "context_frames": ["streams"],
        "chunk_frames": ["streams"],
        "state": ["streams", 2, 24],
    }
    outputs = {value.name: value.shape for value in session.get_outputs()}
    assert outputs == {
        "logprobs": ["batch", "frames", 29],
        "output_lengths": ["batch"],
        "next_state": ["batch", 2, 24],
    }


def test_it_is_as_small_and_on_whole_recordings_the_same(
    exported: Path, files: dict[str, Path]
) -> None:
    assert exported.stat().st_size < files["int8"].stat().st_size + 8000
    signal = probe_signal(3.0, 1)
    batch = (np.stack([signal, signal]), np.array([len(signal), 30_000]))
    for found, wanted in zip(
        OnnxBackend(exported)(*batch), OnnxBackend(files["int8"])(*batch), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_card_says_how_to_stream_it(exported: Path, files: dict[str, Path]) -> None:
    card = read_card(exported)
    assert card.streaming is not None
    assert card.streaming.to_dict() == {
        "chunk_frames": 9,
        "lookahead_frames": 5,
        "context_frames": 3,
        "state_shape": [2, 24],
        "latency_ms": 420.0,
    }
    assert ExportOptions.from_card(card).chunking == CHUNKING
    assert ExportOptions.from_card(read_card(files["fp32"])).chunking is None


def test_streams_at_different_places_run_in_one_batch(exported: Path) -> None:
    backend = OnnxBackend(exported)
    rng = np.random.default_rng(0)
    values = np.stack([probe_signal(1.0, 0), probe_signal(1.0, 1)])
    lengths, contexts = np.array([16_000, 11_111]), np.array([4, 0])
    frames = np.array([9, ALL_FRAMES])
    state = rng.standard_normal((2, 2, 24)).astype(np.float32)
    together = backend.chunk(values, lengths, contexts, frames, state)
    assert together[1].tolist() == [9, 24]
    for row in range(2):
        one = slice(row, row + 1)
        alone = backend.chunk(
            values[one, : lengths[row]], lengths[one], contexts[one], frames[one], state[one]
        )
        count = int(alone[1][0])
        np.testing.assert_allclose(together[0][row, :count], alone[0][0, :count], atol=1e-4)
        np.testing.assert_allclose(together[2][one], alone[2], atol=1e-5)


def test_one_state_serves_a_whole_batch(exported: Path) -> None:
    """As the defaults do."""
    backend = OnnxBackend(exported)
    values = np.stack([probe_signal(0.5, seed) for seed in range(3)])
    lengths = np.full(3, values.shape[1])
    default, _ = backend(values, lengths)
    state = np.zeros((1, 2, 24), np.float32)
    given, _, _ = backend.chunk(
        values, lengths, np.zeros(1, np.int64), np.full(1, ALL_FRAMES), state
    )
    np.testing.assert_array_equal(given, default)


def test_other_chunks_work_as_well(exported: Path, loaded: Checkpoint) -> None:
    backend, config = OnnxBackend(exported), loaded.model.config
    signal = probe_signal(2.0, 3)
    whole = backend(signal[None], np.array([len(signal)]))[0][0]
    for chunk in (1, 13, 1000):
        found = stream(backend.chunk, config, Chunking(chunk, 1000), signal)
        np.testing.assert_allclose(found, whole, atol=1e-4)
        short = stream(backend.chunk, config, Chunking(chunk, 3), signal)
        assert short.shape == whole.shape


@pytest.mark.usefixtures("short_checks")
def test_a_stream_that_drifts_is_found_out(
    loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = onnx_format.trace

    def forgetful(*arguments: Any) -> onnx.ModelProto:
        model = real(*arguments)
        graph = model.graph
        for node in graph.node:
            for index, name in enumerate(node.input):
                if name == "state":
                    node.input[index] = "faded"
        share = onnx.numpy_helper.from_array(np.array(0.9, np.float32), "share")
        graph.initializer.append(share)
        graph.node.insert(0, onnx.helper.make_node("Mul", ["state", "share"], ["faded"]))
        return model

    monkeypatch.setattr(onnx_format, "trace", forgetful)
    with pytest.raises(ParityError, match=r"stream, 9 \+ 5 frames"):
        export(loaded, tmp_path / "model.onnx", ExportOptions(chunking=CHUNKING))
    assert list(tmp_path.iterdir()) == []


def test_the_layer_starts_from_a_state() -> None:
    import torch

    torch.manual_seed(0)
    layer = BidirectionalGRU(5, 7)
    x, lengths, state = torch.randn(2, 6, 5), torch.tensor([6, 4]), torch.randn(2, 7)
    found, wanted = OnnxBidirectionalGRU(layer)(x, lengths, state), layer(x, lengths, state)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[row, :length], wanted[row, :length])
    assert (wanted - layer(x, lengths)).abs().max() > 0.05


@pytest.mark.usefixtures("short_checks")
def test_ort_format_streams(loaded: Checkpoint, tmp_path: Path) -> None:
    report = export(
        loaded, tmp_path / "model.ort", ExportOptions(Precision.int8, chunking=CHUNKING)
    )
    assert report.streaming is not None
    assert report.streaming.passed


class TestCommand:
    def test_export_and_verify(
        self,
        asr_export: Callable[..., tuple[int, str, str]],
        tiny_checkpoint: Path,
        tmp_path: Path,
    ) -> None:
        path = tmp_path / "model.onnx"
        code, out, _ = asr_export("onnx", tiny_checkpoint, path, "--streaming", "--chunk-ms", 300)
        assert code == 0
        assert "stream, 10 + 11 frames" in out
        report = tmp_path / "report.json"
        code, out, _ = asr_export("verify", tiny_checkpoint, path, "--json", report)
        assert code == 0
        assert json.loads(report.read_text())["streaming"]["passed"] is True

    def test_chunks_are_for_streams(
        self,
        asr_export: Callable[..., tuple[int, str, str]],
        tiny_checkpoint: Path,
        tmp_path: Path,
    ) -> None:
        path = tmp_path / "model.onnx"
        code, _, err = asr_export("onnx", tiny_checkpoint, path, "--lookahead-ms", 300)
        assert (code, path.exists()) == (1, False)
        assert "need --streaming" in err
        code, _, err = asr_export("onnx", tiny_checkpoint, path, "--streaming", "--chunk-ms", 3)
        assert (code, path.exists()) == (1, False)
        assert "frames are 30 ms apart" in err
