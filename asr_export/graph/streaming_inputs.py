"""What a streaming export has beside the model contract: inputs with a default, and an output.

The three inputs are initialisers too, which ONNX makes their default. A caller that gives none of
them gets the model for whole recordings, so one file serves both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper, numpy_helper

from asr_runtime.model_file.contract import (
    ALL_FRAMES,
    CHUNK_FRAMES,
    CONTEXT_FRAMES,
    INPUT_LENGTHS,
    SAMPLE_RATE,
    STATE,
)
from asr_train.model.config import ModelConfig

STREAMING_INPUTS = (CONTEXT_FRAMES, CHUNK_FRAMES, STATE)


def streaming_example(config: ModelConfig, batch: int) -> tuple[torch.Tensor, ...]:
    """Make values for the three inputs to trace an export with.

    Returns:
        Frames of context int64 [batch], frames to emit int64 [batch], and the state float32
        [batch, layers, hidden].
    """
    return (
        torch.full((batch,), config.context_frames),
        torch.full((batch,), SAMPLE_RATE // config.frame_stride // 2),
        torch.zeros(batch, config.gru_layers, config.gru_hidden),
    )


def unwrap_names(model: onnx.ModelProto) -> None:
    """Name the weights as in a model that is not wrapped in ``StreamingModel``, in place."""
    prefix = "model."
    for tensor in model.graph.initializer:
        tensor.name = tensor.name.removeprefix(prefix)
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = name.removeprefix(prefix)


def add_defaults(model: onnx.ModelProto, config: ModelConfig) -> None:
    """Give the three inputs their defaults, in place.

    A default has a batch of one; nodes of the graph expand it to the batch of the audio.
    """
    graph = model.graph
    defaults: dict[str, npt.NDArray[Any]] = {
        CONTEXT_FRAMES: np.zeros(1, np.int64),
        CHUNK_FRAMES: np.full(1, ALL_FRAMES, np.int64),
        STATE: np.zeros((1, config.gru_layers, config.gru_hidden), np.float32),
    }
    nodes = [helper.make_node("Shape", [INPUT_LENGTHS], ["batch_shape"])]
    constants = [numpy_helper.from_array(np.ones(2, np.int64), "state_ones")]
    nodes.append(
        helper.make_node("Concat", ["batch_shape", "state_ones"], ["state_batch_shape"], axis=0)
    )
    for name, default in defaults.items():
        expanded = f"{name}_of_batch"
        for node in graph.node:
            for index, used in enumerate(node.input):
                if used == name:
                    node.input[index] = expanded
        shape = "state_batch_shape" if name == STATE else "batch_shape"
        nodes.append(helper.make_node("Expand", [name, shape], [expanded]))
        constants.append(numpy_helper.from_array(default, name))
    # Their own batch dimension: a default has a batch of one, whatever the audio's.
    for value in graph.input:
        if value.name in defaults:
            value.type.tensor_type.shape.dim[0].dim_param = "streams"
    nodes.extend(graph.node)  # a graph's nodes are sorted: these come before their users
    graph.initializer.extend(constants)
    del graph.node[:]
    graph.node.extend(nodes)
