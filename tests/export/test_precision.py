"""Files whose weights are rounded: small, as fast, honest, and right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from asr_export import ExportError, ExportOptions, Precision, export, read_card
from asr_export.formats.onnx import to_onnx
from asr_export.graph.generated_dft import INITIALIZER, generate_dft
from asr_export.loading.backends import OnnxBackend, TorchBackend
from asr_export.quantization.weights import round_weights
from asr_export.source.quantized_checkpoint import QuantizedCheckpoint
from asr_export.verification.probe import probe_signal
from asr_train.checkpoints.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

Run = Callable[..., tuple[int, str, str]]

EDGE = Path(__file__).parents[2] / "train" / "checkpoints" / "edge"


def _stored(path: Path) -> dict[str, onnx.TensorProto]:
    return {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}


def _optimised(path: Path, folder: Path) -> onnx.ModelProto:
    """What ONNX Runtime makes of a file when it opens it."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "optimised.onnx")


def test_the_matrices_are_stored_as_int8_and_the_last_layer_is_not(files: dict[str, Path]) -> None:
    int8 = {
        name: int(np.prod(tensor.dims))
        for name, tensor in _stored(files["int8"]).items()
        if tensor.data_type == onnx.TensorProto.INT8
    }
    gru = 2 * 2 * (3 * 24 * 24) + 2 * (3 * 24 * 24) + 2 * (3 * 24 * 48)
    projection, hidden = 4 * 12 * 24, 48 * 24
    assert sum(int8.values()) == gru + projection + hidden
    assert (
        files["int8"].stat().st_size < files["fp16"].stat().st_size < files["fp32"].stat().st_size
    )


def test_no_weight_is_left_wide(files: dict[str, Path]) -> None:
    """Of those worth a node, all but the front end's are int8 or float16, scales apart."""
    for name in ("fp16", "int8"):
        wide = {
            key
            for key, tensor in _stored(files[name]).items()
            if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= 256
        }
        assert {key for key in wide if not key.endswith("_scale")} == {"front_end.mel_filters"}


def test_the_cards_state_the_precision(files: dict[str, Path]) -> None:
    names = ("fp32", "fp16", "int8")
    cards = {name: read_card(files[name]).to_dict() for name in names}
    assert [cards[name]["precision"] for name in names] == list(names)
    assert "arithmetic in float32" in cards["int8"]["precision_note"]
    assert "arithmetic in float32" in cards["fp16"]["precision_note"]
    assert set(cards["int8"]) - set(cards["fp32"]) == {"precision_note"}


def test_onnx_runtime_expands_everything_when_it_opens_the_file(
    files: dict[str, Path], tmp_path: Path
) -> None:
    """So that nothing is left to do at a run: the same operators, on float32 weights."""
    plain = onnx.load(files["fp32"])
    session_ops = []
    for name in ("fp32", "int8"):
        model = _optimised(files[name], tmp_path)
        session_ops.append(Counter(node.op_type for node in model.graph.node))
        kinds = {tensor.data_type for tensor in model.graph.initializer}
        assert not kinds & {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT16}
    assert session_ops[0] == session_ops[1]
    assert sum(session_ops[0].values()) < len(plain.graph.node)


def test_the_file_computes_what_the_rounded_checkpoint_does(
    files: dict[str, Path], loaded: Checkpoint
) -> None:
    values = probe_signal(3.0, 1)[None, :]
    lengths = np.array([values.shape[1]])
    original = TorchBackend(loaded.model)(values, lengths)[0]
    for precision in (Precision.fp16, Precision.int8):
        found = OnnxBackend(files[precision.value])(values, lengths)[0]
        wanted = TorchBackend(round_weights(loaded.model, precision))(values, lengths)[0]
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        assert np.abs(found - original).max() > 2e-5, "nothing was rounded"


def test_rounding_leaves_the_checkpoint_alone(loaded: Checkpoint) -> None:
    before = {name: value.clone() for name, value in loaded.model.state_dict().items()}
    round_weights(loaded.model, Precision.int8)
    assert all(
        torch.equal(value, before[name]) for name, value in loaded.model.state_dict().items()
    )


def test_the_report_tells_what_rounding_cost(files: dict[str, Path]) -> None:
    reports = {
        name: json.loads(files[name].with_name("model.onnx.parity.json").read_text())
        for name in ("fp32", "fp16", "int8")
    }
    assert "rounding" not in reports["fp32"]
    fine, coarse = reports["fp16"]["rounding"], reports["int8"]["rounding"]
    assert 0 < fine["mean_difference"] < 0.3 * coarse["mean_difference"]
    assert coarse["mean_difference"] < coarse["limit"] == 0.1
    for report in reports.values():
        assert all(row["max_difference"] < 1e-4 for row in report["rows"])


@pytest.mark.usefixtures("short_checks")
def test_command_and_verify(asr_export: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    code, stdout, stderr = asr_export("onnx", tiny_checkpoint, model, "--precision", "int8")
    assert (code, stderr) == (0, "")
    assert "rounding to int8: mean |d log-prob| 0.00" in stdout
    code, stdout, stderr = asr_export("verify", tiny_checkpoint, model)
    assert (code, stderr) == (0, "")
    assert stdout.splitlines()[-1].endswith("rounded to int8 within 0.0001")

    # One scale off by 2 %: less than rounding itself does, and still found.
    broken = onnx.load(model)
    scales = next(
        tensor
        for tensor in broken.graph.initializer
        if tensor.name.endswith("_scale") and "weight_hidden" in tensor.name
    )
    values = numpy_helper.to_array(scales).copy()
    values[0, 50] *= 1.02
    scales.CopyFrom(numpy_helper.from_array(values, scales.name))
    onnx.save(broken, model)
    code, _, stderr = asr_export("verify", tiny_checkpoint, model)
    assert code == 1
    assert "differs from the checkpoint" in stderr

    card = json.loads(broken.metadata_props[0].value)
    broken.metadata_props[0].value = json.dumps({**card, "precision": "int3"})
    onnx.save(broken, model)
    code, _, stderr = asr_export("verify", tiny_checkpoint, model)
    assert code == 1
    assert stderr.count("\n") == 1
    assert "states the precision 'int3', this version knows fp32, fp16, int8" in stderr


@pytest.mark.usefixtures("short_checks")
def test_weights_that_int8_does_not_suit_are_refused(
    asr_export: Run, loaded: Checkpoint, tmp_path: Path
) -> None:
    """One huge weight a row, on an input that is always zero, leaves the others no steps."""
    model = loaded.model
    with torch.no_grad():
        block = model.gru_blocks[1]
        block.norm.weight[0] = block.norm.bias[0] = 0.0
        for gru in (block.gru.forward_gru, block.gru.backward_gru):
            gru.weight_ih_l0[:, 0] = 5000.0
    save_checkpoint(tmp_path / "outliers", model, {})
    out = tmp_path / "out"
    out.mkdir()
    # As TorchScript, which is written five times as fast as ONNX; the question is the same.
    code, _, stderr = asr_export(
        "torchscript", tmp_path / "outliers", out / "model.pt", "--precision", "int8"
    )
    assert code == 1
    assert stderr.count("\n") == 1
    assert "int8 is too coarse for this checkpoint's weights" in stderr
    assert "--precision" in stderr
    assert list(out.iterdir()) == []


def test_weights_too_large_for_float16_are_refused(loaded: Checkpoint, tmp_path: Path) -> None:
    with torch.no_grad():
        loaded.model.projection.bias[0] = 70_000.0
    with pytest.raises(ExportError, match=r"'projection\.bias'.*--precision fp32"):
        export(loaded, tmp_path / "model.onnx", ExportOptions(Precision.int8))
    assert list(tmp_path.iterdir()) == []


class TestGeneratedDft:
    def test_it_is_not_stored_and_comes_out_the_same(
        self, files: dict[str, Path], loaded: Checkpoint, tmp_path: Path
    ) -> None:
        assert INITIALIZER not in _stored(files["fp32"])
        expanded = {
            tensor.name: tensor for tensor in _optimised(files["fp32"], tmp_path).graph.initializer
        }
        found = numpy_helper.to_array(expanded[INITIALIZER])
        wanted = loaded.model.front_end.window_dft.numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-7, rtol=0)

    def test_other_values_are_left_alone(self, loaded: Checkpoint) -> None:
        values = loaded.model.front_end.window_dft.numpy().copy()
        values[5, 0, 200] += 1e-5
        graph = onnx.GraphProto(initializer=[numpy_helper.from_array(values, INITIALIZER)])
        model = onnx.ModelProto(graph=graph)
        before = model.SerializeToString()
        generate_dft(model)
        assert model.SerializeToString() == before


def test_int8_reads_real_speech_as_the_checkpoint_does(shared_data: Path, tmp_path: Path) -> None:
    from asr_runtime.decoding.greedy import greedy_text
    from asr_train.data.audio_store import FileStore
    from asr_train.data.manifest import read_manifest
    from asr_train.evaluation.metrics import error_rates
    from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

    checkpoint = load_checkpoint(EDGE)
    source = QuantizedCheckpoint(checkpoint, ExportOptions(Precision.int8))
    onnx.save(to_onnx(source), tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").stat().st_size < 5e6
    forms = (TorchBackend(checkpoint.model), OnnxBackend(tmp_path / "model.onnx"))
    rows = read_manifest(shared_data / "dev.jsonl")[::13]
    store = FileStore(rows)
    texts: tuple[list[str], list[str]] = ([], [])
    differences = []
    for index in range(len(rows)):
        samples = np.asarray(store[index])[None, :]
        results = [form(samples, np.array([samples.shape[1]]))[0][0] for form in forms]
        for said, logprobs in zip(texts, results, strict=True):
            said.append(greedy_text(logprobs, VOCABULARY, BLANK_ID))
        differences.append(np.abs(results[0] - results[1]).mean())
    assert np.mean(differences) < 0.05
    assert error_rates(*texts).character_error_rate < 0.015
