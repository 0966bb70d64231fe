"""What is inside an exported model."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import onnx

from asr_export.backends import is_onnx, load_onnx, read_card


def inspect_model(path: Path) -> dict[str, Any]:
    """Card, size, digest and, for ONNX, opset, inputs, outputs and operators; JSON values.

    Raises:
        ExportError: not a model of ours.
    """
    report: dict[str, Any] = {"file": str(path), "model_card": read_card(path)}
    report["bytes"] = path.stat().st_size
    report["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    report["format"] = "onnx" if is_onnx(path) else "torchscript"
    if is_onnx(path):
        model = load_onnx(path)
        report["opset"] = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
        report["inputs"] = {value.name: _describe(value) for value in model.graph.input}
        report["outputs"] = {value.name: _describe(value) for value in model.graph.output}
        counts = Counter(node.op_type for node in model.graph.node)
        report["operators"] = dict(counts.most_common())
    return report


def _describe(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    kind = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    sizes = [dimension.dim_param or str(dimension.dim_value) for dimension in tensor.shape.dim]
    return f"{kind} [{', '.join(sizes)}]"
