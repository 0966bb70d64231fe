"""What is inside an exported model."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from asr_export.formats.registry import format_of, read_card
from asr_export.inspection.flops import operations_per_second
from asr_export.inspection.layer_sizes import layer_sizes
from asr_export.loading.model_files import load_onnx, load_torchscript
from asr_runtime.model_file.contract import CARD_KEY
from asr_runtime.model_file.model_card import ModelCard
from asr_runtime.standard_streams import name_as_text
from asr_train.errors import ConfigError
from asr_train.model.config import ModelConfig


def inspect_model(model: str | os.PathLike[str]) -> dict[str, Any]:
    """Look into an exported file without running it.

    ``operations_per_second`` counts floating-point operations a second of audio, by part of the
    network and in all; it is null when the card's architecture is not one that this version knows.
    ``layers`` holds bytes as stored.

    Args:
        model: the file.

    Returns:
        JSON values: card, size in bytes, digest, format and operations; for ONNX also the operator
        set, inputs, outputs, operators and layers, for TorchScript also the operators.

    Raises:
        ExportError: not a model of ours.
    """
    path = Path(model)
    card = read_card(path)
    report: dict[str, Any] = {"file": name_as_text(path), CARD_KEY: card.to_dict()}
    report["bytes"] = path.stat().st_size
    report["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    report["format"] = format_of(path).name
    report["operations_per_second"] = _operations(card)
    if report["format"] == "onnx":
        graph = load_onnx(path)
        report["opset"] = {entry.domain or "ai.onnx": entry.version for entry in graph.opset_import}
        report["inputs"] = {value.name: _describe(value) for value in graph.graph.input}
        report["outputs"] = {value.name: _describe(value) for value in graph.graph.output}
        counts = Counter(node.op_type for node in graph.graph.node)
        report["operators"] = dict(counts.most_common())
        report["layers"] = layer_sizes(graph)
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
    """Nodes of a graph and of the loops in it."""
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _operations(card: ModelCard) -> dict[str, int] | None:
    if not card.architecture:
        return None
    fields = {name: value for name, value in card.architecture.items() if name != "name"}
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
