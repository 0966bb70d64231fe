"""What a streaming export has beside the model contract: inputs with a default, and an output.

The three inputs are initialisers too, which ONNX makes their default. A caller that gives none of
them gets the model for whole recordings, so one file serves both.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper, numpy_helper

from asr_train.model.chunking import Chunking
from asr_train.model.config import SAMPLE_RATE, ModelConfig

#: int64 [batch]: frames of left context at the beginning of ``input_values``.
CONTEXT_FRAMES = "context_frames"
#: int64 [batch]: frames to emit after the context; what follows is look-ahead.
CHUNK_FRAMES = "chunk_frames"
#: float32 [batch, layers, hidden]: of the forward GRUs before the chunk.
STATE = "state"
#: The same after the chunk.
NEXT_STATE = "next_state"

STREAMING_INPUTS = (CONTEXT_FRAMES, CHUNK_FRAMES, STATE)
#: More frames than any audio has.
EVERYTHING = 1 << 40

#: Milliseconds of a chunk and of the look-ahead that a file recommends, unless told otherwise.
DEFAULT_CHUNK_MS = 640.0
DEFAULT_LOOKAHEAD_MS = 320.0


def streaming_card(config: ModelConfig, chunking: Chunking) -> dict[str, Any]:
    """For the model card: the chunk and look-ahead meant for the file, and what a stream needs.

    Other chunks and look-aheads work as well, with another error rate. ``latency_ms`` is the time
    from a sound to the samples that its text waits for, at most.
    """
    return {
        **asdict(chunking),
        "context_frames": config.context_frames,
        "state_shape": [config.gru_layers, config.gru_hidden],
        "latency_ms": round(chunking.latency_ms(config), 3),
    }


def streaming_example(config: ModelConfig, batch: int) -> tuple[torch.Tensor, ...]:
    """Values for the three inputs to trace an export with."""
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
    """Give the three inputs their defaults, in place: of a batch of one, expanded to the batch."""
    graph = model.graph
    defaults: dict[str, npt.NDArray[Any]] = {
        CONTEXT_FRAMES: np.zeros(1, np.int64),
        CHUNK_FRAMES: np.full(1, EVERYTHING, np.int64),
        STATE: np.zeros((1, config.gru_layers, config.gru_hidden), np.float32),
    }
    nodes = [helper.make_node("Shape", ["input_lengths"], ["batch_shape"])]
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
