"""Weights stored as float16 wherever that loses nothing."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

#: Smaller tensors are not worth a node.
MIN_ELEMENTS = 256
_SUFFIX = "_float16"


def store_compactly(model: onnx.ModelProto) -> None:
    """Halve the float32 initialisers that float16 can hold exactly, in place.

    Each becomes a float16 initialiser and a ``Cast`` to float32 under the old name. ONNX Runtime
    folds the cast when it opens the file, so the network runs in float32, at float32's speed and
    to the same bits. After ``asr-train compact`` this holds for all of the network's weights.
    """
    graph = model.graph
    casts = []
    for initializer in graph.initializer:
        if initializer.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initializer)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if values.size < MIN_ELEMENTS or not np.array_equal(halves.astype(np.float32), values):
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(halves, name + _SUFFIX))
        casts.append(
            onnx.helper.make_node("Cast", [name + _SUFFIX], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]  # a graph's nodes are sorted: casts come before their users
    del graph.node[:]
    graph.node.extend(nodes)
