"""Weights stored in as few bytes as hold them exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from asr_train.checkpoints.int8_grid import find_rows

Float32 = npt.NDArray[np.float32]

#: Smaller tensors are not worth a node.
MIN_ELEMENTS = 256


def store_compactly(model: onnx.ModelProto) -> None:
    """Shrink the float32 initialisers that int8 rows or float16 can hold exactly, in place.

    Each becomes an int8 initialiser, ``Cast`` and ``Mul`` by its scales, or a float16 initialiser
    and ``Cast``, under the old name. ONNX Runtime folds these nodes when it opens the file, so the
    network runs in float32, at float32's speed and to the same bits. (It would not fold
    ``DequantizeLinear``.) Which weights this applies to is decided before the export, by rounding:
    see ``round_weights``, and ``asr-train quantize``.

    Args:
        model: the graph; defaults of its inputs stay as they are.
    """
    graph = model.graph
    inputs = {value.name for value in graph.input}  # whose defaults keep their names
    kept, expansions = [], []
    for initializer in graph.initializer:
        smaller = None
        if initializer.data_type == onnx.TensorProto.FLOAT and initializer.name not in inputs:
            values = numpy_helper.to_array(initializer)
            if values.size >= MIN_ELEMENTS:
                smaller = _as_int8(initializer.name, values) or _as_float16(
                    initializer.name, values
                )
        if smaller is None:
            kept.append(initializer)
        else:
            kept.extend(smaller.initializer)
            expansions.extend(smaller.node)
    nodes = [*expansions, *graph.node]  # a graph's nodes are sorted: these come before their users
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def _as_int8(name: str, values: Float32) -> onnx.GraphProto | None:
    found = find_rows(torch.tensor(values))
    if found is None:
        return None
    numbers, scale = (tensor.numpy() for tensor in found)
    stored, scales, cast = f"{name}_int8", f"{name}_scale", f"{name}_numbers"
    return onnx.GraphProto(
        initializer=[
            numpy_helper.from_array(numbers, stored),
            numpy_helper.from_array(scale, scales),
        ],
        node=[
            onnx.helper.make_node("Cast", [stored], [cast], to=onnx.TensorProto.FLOAT),
            onnx.helper.make_node("Mul", [cast, scales], [name]),
        ],
    )


def _as_float16(name: str, values: Float32) -> onnx.GraphProto | None:
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if not np.array_equal(halves.astype(np.float32), values):
        return None
    stored = f"{name}_float16"
    return onnx.GraphProto(
        initializer=[numpy_helper.from_array(halves, stored)],
        node=[onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT)],
    )
