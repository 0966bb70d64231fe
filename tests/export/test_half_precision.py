"""Files that compute in float16, for GPUs: which parts do, at what cost, in what contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from asr_export import (
    Arithmetic,
    ExportError,
    ExportOptions,
    ParityReport,
    Precision,
    export,
    read_card,
)
from asr_export.loading.backends import OnnxBackend, TorchBackend
from asr_export.quantization.half_precision import in_half_precision
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.check_export import check_export
from asr_export.verification.probe import probe_signal
from asr_runtime import Recognizer
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.streaming import StreamingModel

Run = Callable[..., tuple[int, str, str]]

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16


@pytest.fixture(scope="module")
def exported(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("half") / "model.onnx"
    options = ExportOptions(Precision.fp16, Arithmetic.fp16, Chunking(9, 5))
    export(load_checkpoint(tiny_checkpoint), path, options)
    return path


def _checked(checkpoint: Checkpoint, path: Path) -> ParityReport:
    """The comparison with a checkpoint, on a single short utterance."""
    source = QuantizedCheckpoint(checkpoint, ExportOptions(Precision.fp16, Arithmetic.fp16))
    return check_export(source, OnnxBackend(path), batches=[(0.5,)])


def _types(path: Path) -> tuple[onnx.GraphProto, dict[str, int]]:
    """The graph, and the element type of each of its values."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        types[value.name] = value.type.tensor_type.elem_type
    return graph, types


def test_the_contract_is_unchanged(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    values = (
        *session.get_inputs(),
        *session.get_overridable_initializers(),
        *session.get_outputs(),
    )
    assert {value.name: value.type for value in values} == {
        "input_values": "tensor(float)",
        "input_lengths": "tensor(int64)",
        "context_frames": "tensor(int64)",
        "chunk_frames": "tensor(int64)",
        "state": "tensor(float)",
        "logprobs": "tensor(float)",
        "output_lengths": "tensor(int64)",
        "next_state": "tensor(float)",
    }


def test_the_network_is_float16_and_the_front_end_float32(exported: Path) -> None:
    graph, types = _types(exported)
    kinds: dict[str, list[int]] = {}
    for node in graph.node:
        kinds.setdefault(node.op_type, []).append(types[node.input[0]])
    # DFT and mel filters, then the network's.
    assert kinds["Conv"] == [FLOAT] * 2 + [HALF] * 3
    for operator, count in (("GRU", 2), ("MatMul", 3), ("LayerNormalization", 4), ("Erf", 5)):
        assert kinds[operator] == [HALF] * count, operator
    assert kinds["Log"] == kinds["LogSoftmax"] == [FLOAT]
    for node in graph.node:
        if node.op_type == "LayerNormalization":  # mean and variance are taken in float32
            (stash,) = (item.i for item in node.attribute if item.name == "stash_type")
            assert stash == FLOAT


def test_float16_weights_are_used_as_stored(exported: Path, files: dict[str, Path]) -> None:
    graph, types = _types(exported)
    stored = {tensor.name for tensor in graph.initializer}
    assert not [node for node in graph.node if node.op_type == "Cast" and node.input[0] in stored]
    wide = {
        tensor.name
        for tensor in graph.initializer
        if types[tensor.name] == FLOAT and np.prod(tensor.dims) > 1
    }
    assert {name.split(".")[0] for name in wide if "." in name} == {"front_end"}
    # The graph itself takes its share of so small a file.
    assert exported.stat().st_size < files["fp16"].stat().st_size + 8000


def test_it_is_close_to_the_checkpoint_but_rounded(exported: Path, loaded: Checkpoint) -> None:
    signal = probe_signal(3.0, 1)
    batch = (np.stack([signal, 0.5 * signal]), np.array([len(signal), 20_000]))
    wanted, lengths = TorchBackend(loaded.model)(*batch)
    for form in (OnnxBackend(exported), TorchBackend(in_half_precision(loaded.model))):
        found, found_lengths = form(*batch)
        assert found.dtype == np.float32
        assert found_lengths.tolist() == lengths.tolist()
        difference = np.abs(found - wanted)
        assert 1e-5 < difference.mean() < 0.01
        assert difference.max() < 0.1


def test_padding_and_company_change_little(exported: Path) -> None:
    backend = OnnxBackend(exported)
    signals = [probe_signal(2.0, seed) for seed in range(3)]
    lengths = np.array([32_000, 16_000, 800])
    values = np.stack(signals)
    values[1, 16_000:] = values[2, 800:] = 1.0
    together, frames = backend(values, lengths)
    for row, (length, count) in enumerate(zip(lengths, frames, strict=True)):
        alone, _ = backend(values[row : row + 1, :length], lengths[row : row + 1])
        np.testing.assert_allclose(together[row, :count], alone[0], atol=0.1)


def test_the_report_tells_the_cost(exported: Path) -> None:
    report = json.loads(exported.with_name("model.onnx.parity.json").read_text())
    assert report["passed"]
    assert report["tolerance"] == report["streaming"]["tolerance"] == 0.25
    assert report["in_float32"]["tolerance"] == 1e-4
    assert report["in_float32"]["streaming"]["passed"]
    rounding = report["rounding"]
    assert (rounding["precision"], rounding["arithmetic"]) == ("fp16", "fp16")
    assert 0 < rounding["mean_difference"] < rounding["limit"] == 0.1


def test_the_card_and_inspect_say_it(
    asr_export: Run, exported: Path, files: dict[str, Path]
) -> None:
    card = read_card(exported)
    assert (card.precision, card.arithmetic) == ("fp16", "fp16")
    assert "arithmetic in float16" in (card.precision_note or "")
    assert read_card(files["fp16"]).arithmetic is None
    code, stdout, _ = asr_export("inspect", exported)
    assert code == 0
    assert "arithmetic fp16" in {" ".join(line.split()) for line in stdout.splitlines()}


def test_a_stream_keeps_its_state_in_float32(loaded: Checkpoint) -> None:
    model = StreamingModel(in_half_precision(loaded.model)).eval()
    state = torch.randn(1, 2, 24)
    with torch.inference_mode():
        logprobs, emitted, following = model(
            torch.randn(1, 9000), torch.tensor([9000]), torch.tensor([4]), torch.tensor([9]), state
        )
    assert logprobs.dtype == following.dtype == torch.float32
    assert (emitted.tolist(), following.shape) == ([9], state.shape)


def test_the_runtime_transcribes_with_it(exported: Path, files: dict[str, Path]) -> None:
    found, wanted = (
        Recognizer.load(path, device="cpu").transcribe(probe_signal(3.0, 0), 16_000)
        for path in (exported, files["fp32"])
    )
    assert found.text == wanted.text
    assert found.text
    stream = Recognizer.load(exported, device="cpu").stream(16_000)
    results = [*stream.feed(probe_signal(3.0, 0)), *stream.finish()]
    assert any(result.text for result in results)


def test_another_models_weights_are_found_out(exported: Path, loaded: Checkpoint) -> None:
    assert _checked(loaded, exported).passed
    with torch.no_grad():  # far less than float16 costs
        loaded.model.gru_blocks[1].gru.backward_gru.weight_hh_l0[3] *= 1.02
    assert not _checked(loaded, exported).passed


def test_what_exceeds_float16_is_refused(exported: Path, loaded: Checkpoint) -> None:
    """Values of 10^5 between two layers, which the next one scales down.

    Nothing to float32, nor to ONNX Runtime's CPU provider.
    """
    with torch.no_grad():
        weight = loaded.model.projection.weight
        factor = 30_000 / weight.abs().max()
        weight.mul_(factor)
        loaded.model.projection.bias.mul_(factor)
    report = _checked(loaded, exported)
    assert report.rows[0].passes(report.tolerance)
    assert report.quantization is not None
    assert re.search("arithmetic: .* nan, .*--arithmetic fp32", report.quantization.failure())
    assert not report.passed


class TestCommand:
    @pytest.mark.usefixtures("short_checks")
    def test_export_and_verify(
        self, asr_export: Run, tiny_checkpoint: Path, exported: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "model.onnx"
        code, stdout, stderr = asr_export(
            "onnx", tiny_checkpoint, out, "--precision", "fp16", "--arithmetic", "fp16"
        )
        assert (code, stderr) == (0, "")
        assert "rounding to fp16, arithmetic too: mean |d log-prob| 0.00" in stdout
        assert "for GPUs" in stdout.splitlines()[-1]
        code, stdout, stderr = asr_export("verify", tiny_checkpoint, exported)
        assert (code, stderr) == (0, "")
        assert "stream, 9 + 5 frames" in stdout
        assert stdout.splitlines()[-1].endswith(
            "rounded to fp16 within 0.25, its graph in float32 within 0.0001"
        )

    @pytest.mark.parametrize("precision", ["fp32", "int8"])
    def test_other_weights_are_refused(
        self, asr_export: Run, tiny_checkpoint: Path, tmp_path: Path, precision: str
    ) -> None:
        out = tmp_path / "model.onnx"
        code, _, stderr = asr_export(
            "onnx", tiny_checkpoint, out, "--precision", precision, "--arithmetic", "fp16"
        )
        assert (code, stderr.count("\n")) == (1, 1)
        assert "give --precision fp16 as well" in stderr
        assert list(tmp_path.iterdir()) == []

    def test_verify_knows_no_other_arithmetic(
        self, asr_export: Run, tiny_checkpoint: Path, exported: Path, tmp_path: Path
    ) -> None:
        model = onnx.load(exported)
        card = json.loads(model.metadata_props[0].value)
        model.metadata_props[0].value = json.dumps({**card, "arithmetic": "fp8"})
        onnx.save(model, tmp_path / "model.onnx")
        code, _, stderr = asr_export("verify", tiny_checkpoint, tmp_path / "model.onnx")
        assert (code, stderr.count("\n")) == (1, 1)
        assert "states the arithmetic 'fp8', this version knows fp32, fp16, int8" in stderr


def test_int8_arithmetic_is_not_onnx(loaded: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="asr-export torchscript --precision int8"):
        export(loaded, tmp_path / "model.onnx", ExportOptions(Precision.int8, Arithmetic.int8))
