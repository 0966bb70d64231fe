"""``asr-export inspect``: for a person, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import numpy_helper

from asr_export.inspection.flops import operations_per_second
from asr_export.inspection.inspect import inspect_model
from asr_export.inspection.layer_sizes import OTHER, layer_sizes
from asr_export.inspection.text import inspection_text
from asr_train.model.config import ModelConfig

Run = Callable[..., tuple[int, str, str]]
LAYERS = [
    "front_end",
    "conv",
    "residual_blocks.0",
    "projection",
    "gru_blocks.0",
    "gru_blocks.1",
    "classifier.0",
    "classifier.3",
    OTHER,
]


def test_every_layer_counts_its_stored_bytes(files: dict[str, Path]) -> None:
    """The tiny model: 24 features into each layer, 2 directions of 24, 3 gates."""
    wide, narrow = (layer_sizes(onnx.load(files[name])) for name in ("fp32", "int8"))
    assert list(wide) == list(narrow) == LAYERS
    gru = 2 * 3 * 24  # rows of a weight matrix, both directions
    norm, bias = 2 * 48, 2 * gru
    assert wide["gru_blocks.1"] == 4 * (norm + gru * 48 + gru * 24 + bias)
    # int8 and a float32 scale a row; the biases in float16; the normalisation is too small for it
    assert narrow["gru_blocks.1"] == 4 * norm + gru * 48 + gru * 24 + 2 * 4 * gru + 2 * bias
    assert wide["classifier.0"] == 4 * (48 * 24 + 24)
    assert narrow["classifier.0"] == 48 * 24 + 4 * 24 + 4 * 24
    assert wide["classifier.3"] == 4 * (24 * 29 + 29)
    assert narrow["classifier.3"] == 2 * 24 * 29 + 4 * 29
    for name, sizes in (("fp32", wide), ("int8", narrow)):
        initializers = onnx.load(files[name]).graph.initializer
        assert sum(sizes.values()) == sum(
            numpy_helper.to_array(tensor).nbytes for tensor in initializers
        )
        assert sizes[OTHER] < 1000


def test_a_person_reads_a_summary(asr_export: Run, files: dict[str, Path]) -> None:
    path = files["int8"]
    report = inspect_model(path)
    code, stdout, stderr = asr_export("inspect", path)
    assert (code, stderr) == (0, "")
    lines = {" ".join(line.split()) for line in stdout.splitlines()}
    card = report["model_card"]
    assert f"sha-256 {report['sha256']}" in lines
    assert f"checkpoint_sha256 {card['checkpoint_sha256']}" in lines
    assert "precision int8" in lines
    assert any(line.startswith("vocabulary ' ▁ a b c") for line in lines)
    assert "word_error_rate dev_greedy 0.5" in lines
    assert "input_values float [batch, samples]" in lines
    assert "format onnx, opset ai.onnx 18" in lines
    assert "GRU 2" in lines
    assert "gru_hidden 24" in lines
    total = report["operations_per_second"]["total"]
    assert f"total {total / 1e6:.1f} M" in lines
    size, whole = report["layers"]["gru_blocks.1"], report["bytes"]
    assert f"gru_blocks.1 {size / 1e3:.1f} kB {size / whole:.1%}" in lines
    rest = whole - sum(report["layers"].values())
    assert f"graph and card {rest / 1e3:.1f} kB {rest / whole:.1%}" in lines


def test_a_program_reads_all_of_it(
    asr_export: Run, files: dict[str, Path], tiny_config: ModelConfig
) -> None:
    code, stdout, _ = asr_export("inspect", files["int8"], "--json")
    report = json.loads(stdout)
    assert code == 0
    assert report == inspect_model(files["int8"])
    counted = operations_per_second(tiny_config)
    assert report["operations_per_second"]["total"] == round(counted.total)
    assert report["operations_per_second"]["gru_input"] == round(counted.gru_input)


def test_an_unknown_architecture_is_still_shown(files: dict[str, Path], tmp_path: Path) -> None:
    model = onnx.load(files["fp32"])
    (entry,) = model.metadata_props
    card = json.loads(entry.value)
    card["architecture"] = {"name": "Another", "heads": 4}
    entry.value = json.dumps(card)
    onnx.save(model, tmp_path / "other.onnx")
    report = inspect_model(tmp_path / "other.onnx")
    assert report["operations_per_second"] is None
    assert "heads  4" in inspection_text(report)
    assert "floating-point" not in inspection_text(report)
