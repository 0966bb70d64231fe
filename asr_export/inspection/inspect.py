"""What is inside an exported model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from asr_export.inspection.flops import operations_per_second
from asr_export.inspection.layer_sizes import layer_sizes
from asr_export.loading.backends import (
    is_onnx,
    load_onnx,
    load_torchscript,
    model_format,
    read_card,
)
from asr_train.errors import ConfigError
from asr_train.model.config import ModelConfig


def inspect_model(path: Path) -> dict[str, Any]:
    """Card, size, digest, operations, operators and, for ONNX, interface and layers; JSON values.

    ``operations_per_second`` counts floating-point operations a second of audio, by part of the
    network and in all; null when the card's architecture is not one that this version knows.
    ``layers`` holds bytes as stored.

    Raises:
        ExportError: not a model of ours.
    """
    card = read_card(path)
    report: dict[str, Any] = {"file": str(path), "model_card": card}
    report["bytes"] = path.stat().st_size
    report["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    report["format"] = model_format(path)
    report["operations_per_second"] = _operations(card)
    if is_onnx(path):
        model = load_onnx(path)
        report["opset"] = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
        report["inputs"] = {value.name: _describe(value) for value in model.graph.input}
        report["outputs"] = {value.name: _describe(value) for value in model.graph.output}
        counts = Counter(node.op_type for node in model.graph.node)
        report["operators"] = dict(counts.most_common())
        report["layers"] = layer_sizes(model)
    elif report["format"] == "torchscript":
        report["operators"] = _torchscript_operators(path)
    return report


def _torchscript_operators(path: Path) -> dict[str, int]:
    kinds = (node.kind() for node in _nodes(load_torchscript(path)[0].inlined_graph))
    # The others only build lists and constants.
    counts = Counter(
        kind.removeprefix("aten::") for kind in kinds if kind.startswith(("aten::", "quantized::"))
    )
    return dict(counts.most_common())


def _nodes(block: Any) -> Iterator[Any]:
    """Of a graph and the loops in it."""
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _operations(card: dict[str, Any]) -> dict[str, int] | None:
    architecture = card.get("architecture")
    if not isinstance(architecture, dict):
        return None
    fields = {name: value for name, value in architecture.items() if name != "name"}
    try:
        counted = operations_per_second(ModelConfig.from_dict(fields))
    except ConfigError:
        return None
    parts = {part: round(count) for part, count in counted.parts().items()}
    return {**parts, "total": round(counted.total)}


def _describe(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    kind = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    sizes = [dimension.dim_param or str(dimension.dim_value) for dimension in tensor.shape.dim]
    return f"{kind} [{', '.join(sizes)}]"
