"""How many bytes of an ONNX file every layer's weights take, as they are stored."""

from __future__ import annotations

import re
from collections.abc import Mapping

import onnx
from onnx import numpy_helper

#: Name for what belongs to no layer: sizes, indices, small constants of the graph.
OTHER = "other"
#: A module of the network and, in a row of modules, its place: ``front_end``, ``gru_blocks.1``.
_LAYER = re.compile(r"[a-z]\w*(?:\.\d+)?(?=\.)")
#: Operators that a weight passes through on its way to its layer's bias.
_PASSED = {"Cast", "DequantizeLinear", "Mul", "Reshape", "Transpose", "MatMul", "Gemm"}


def layer_sizes(model: onnx.ModelProto) -> dict[str, int]:
    """Add up the bytes of the weights by layer.

    An int8 weight counts its numbers and its scales, a float16 one two bytes a value. The
    exporter transposes the weights of linear layers and names them anew: their layer is the one
    whose bias is added to their product.

    Args:
        model: an exported graph.

    Returns:
        Bytes by layer, in the order of the graph, ``OTHER`` last.
    """
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    sizes: dict[str, int] = {}
    for initializer in model.graph.initializer:
        # Of scalars and vectors without a layer's name none is a weight.
        found = _named_layer(initializer.name)
        if found is None and len(initializer.dims) > 1:
            found = _layer_downstream(initializer.name, consumers)
        layer = found or OTHER
        size = numpy_helper.to_array(initializer).nbytes
        sizes[layer] = sizes.get(layer, 0) + size
    order = _order_of_use(model)
    return dict(sorted(sizes.items(), key=lambda item: order.get(item[0], len(order))))


def _layer_downstream(name: str, consumers: Mapping[str, list[onnx.NodeProto]]) -> str | None:
    while users := consumers.get(name):
        node = users[0]
        for other in node.input:
            if layer := _named_layer(other):
                return layer
        if node.op_type not in _PASSED:
            return None
        name = node.output[0]
    return None


def _named_layer(tensor: str) -> str | None:
    found = _LAYER.match(tensor)
    return found[0] if found else None


def _order_of_use(model: onnx.ModelProto) -> dict[str, int]:
    """Rank of each layer by the first node that computes with it; nodes are sorted."""
    order: dict[str, int] = {}
    for node in model.graph.node:
        if any(_named_layer(name) for name in node.output):
            continue  # expands a stored weight
        for name in node.input:
            layer = _named_layer(name)
            if layer is not None:
                order.setdefault(layer, len(order))
    return order
