"""The front end's DFT computed from its period when a file is opened, not stored in the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

#: Name of the windowed DFT, [2 * bins, 1, n_fft]: cosines, then negative sines.
INITIALIZER = "front_end.window_dft"
#: Largest difference: both are double precision rounded to float32, and a value midway may fall
#: to either side.
_TOLERANCE = 1e-7


def generate_dft(model: onnx.ModelProto) -> None:
    """Replace the windowed DFT by six nodes and 0.02 of its size in constants, in place.

    The DFT's entry for frequency k at time t is the window at t times one period of cosine or sine
    at ``k * t % n_fft``. ONNX Runtime folds these nodes when it opens the file, so that the
    convolution sees the same weights as before. A graph without such an initialiser, or with other
    values in it, is left alone.
    """
    graph = model.graph
    stored = next((tensor for tensor in graph.initializer if tensor.name == INITIALIZER), None)
    if stored is None:
        return
    values = numpy_helper.to_array(stored)
    rows, _, n_fft = values.shape
    time = np.arange(n_fft, dtype=np.int32)
    frequency = np.arange(rows // 2, dtype=np.int32)[:, None]
    angle = 2 * np.pi / n_fft * time
    period = np.stack([np.cos(angle), -np.sin(angle)])
    window = 0.5 - 0.5 * np.cos(angle)
    generated = (period[:, frequency * time % n_fft] * window).reshape(values.shape)
    if np.abs(generated - values).max() > _TOLERANCE:
        return

    def named(name: str) -> str:
        return f"{INITIALIZER}_{name}"

    def step(operator: str, output: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
        names = [named(name) for name in inputs]
        return helper.make_node(operator, names, [named(output)], **attributes)

    constants = {
        "frequency": frequency,
        "time": time,
        "n_fft": np.array(n_fft, dtype=np.int32),
        "period": period,
        "window": window,
        "shape": np.array(values.shape),
    }
    nodes = [
        step("Mul", "product", "frequency", "time"),
        step("Mod", "index", "product", "n_fft"),
        step("Gather", "dft", "period", "index", axis=1),
        step("Mul", "windowed", "dft", "window"),
        step("Cast", "single", "windowed", to=onnx.TensorProto.FLOAT),
        helper.make_node("Reshape", [named("single"), named("shape")], [INITIALIZER]),
    ]
    nodes.extend(graph.node)  # a graph's nodes are sorted: these come before their user
    graph.initializer.remove(stored)
    graph.initializer.extend(
        numpy_helper.from_array(array, named(name)) for name, array in constants.items()
    )
    del graph.node[:]
    graph.node.extend(nodes)
