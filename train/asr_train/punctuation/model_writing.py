"""A trained punctuation network as an ONNX file of int8 weights, with its words in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.punctuation_card import (
    CASES,
    FORMAT_VERSION,
    METADATA_KEY,
    SIGNS,
    WORDS,
    PunctuationCard,
)
from asr_runtime.readable_text.word_table import WordTable
from asr_train.output import replacing
from asr_train.punctuation.decision import Penalties
from asr_train.punctuation.network import KERNEL, LAYERS, PunctuationNetwork

_OPSET = 17
_IR_VERSION = 8
"""The oldest with that operator set, for old versions of ONNX Runtime."""


def write_model(
    network: PunctuationNetwork,
    table: WordTable,
    path: Path,
    penalties: Penalties,
    training: Mapping[str, Any],
) -> int:
    """Write a network as a model file that the runtime reads.

    Args:
        network: A trained network.
        table: Its words.
        path: File to write.
        penalties: As in `PunctuationCard`.
        training: What the card should say about the training; plain JSON types.

    Returns:
        The file's size in bytes.

    Raises:
        OutputError: The file cannot be written.
    """
    model = _graph(network)
    card = PunctuationCard(
        format_version=FORMAT_VERSION,
        words_behind=network.config.words_behind,
        words_ahead=network.config.words_ahead,
        words=" ".join(table.words),
        names=" ".join(table.names),
        rare=table.rare,
        none_penalty=penalties.none,
        lower_penalty=penalties.lower,
        training=dict(training),
    )
    helper.set_model_props(model, {METADATA_KEY: json.dumps(card.to_dict())})
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    with replacing(path) as partial:
        partial.write_bytes(content)
    return len(content)


class _Builder:
    """Collects the nodes and constants of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def weights(self, name: str, weight: Tensor, scale_axis: int) -> str:
        """Add weights of any shape as int8 with a scale for each index of an axis.

        ``Cast`` and ``Mul`` of constants are folded when a file is opened with optimisation, unlike
        ``DequantizeLinear``; without it, they cost a tenth of a run.
        """
        integers, scales = _quantised(weight, scale_axis)
        stored = self.constant(f"{name}_int8", integers)
        wide = self.node("Cast", [stored], f"{name}_cast", to=TensorProto.FLOAT)
        return self.node("Mul", [wide, self.constant(f"{name}_scale", scales)], name)


def _quantised(
    weight: Tensor, scale_axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    values = weight.detach().numpy().astype(np.float32)
    others = tuple(axis for axis in range(values.ndim) if axis != scale_axis % values.ndim)
    scales = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-8) / 127
    return np.rint(values / scales).astype(np.int8), scales.astype(np.float32)


def _graph(network: PunctuationNetwork) -> onnx.ModelProto:
    builder = _Builder()
    state = _embedded(builder, network)
    for index, layer in enumerate(LAYERS):
        name = f"layer{index}"
        norm, linear = network.norms[index], network.convolutions[index]
        assert isinstance(linear, nn.Linear)
        channels = network.config.channels
        # A linear layer over three words beside each other is a convolution.
        kernel = linear.weight.reshape(2 * channels, KERNEL, channels).transpose(1, 2)
        normed = _normed(builder, f"{name}_norm", state, norm)
        around = builder.node("Transpose", [normed], f"{name}_in", perm=[0, 2, 1])
        both = builder.node(
            "Conv",
            [
                around,
                builder.weights(f"{name}_weight", kernel, 0),
                builder.constant(f"{name}_bias", linear.bias.detach().numpy()),
            ],
            f"{name}_conv",
            kernel_shape=[KERNEL],
            dilations=[layer.dilation],
            pads=[layer.behind, layer.ahead],
        )
        value, gate = f"{name}_value", f"{name}_gate"
        builder.nodes.append(helper.make_node("Split", [both], [value, gate], name, axis=1))
        opened = builder.node("Sigmoid", [gate], f"{name}_open")
        gated = builder.node("Mul", [value, opened], f"{name}_gated")
        update = builder.node("Transpose", [gated], f"{name}_out", perm=[0, 2, 1])
        state = builder.node("Add", [state, update], f"{name}_state")
    _heads(builder, network, state)
    time = "words"
    graph = helper.make_graph(
        builder.nodes,
        "punctuation",
        [helper.make_tensor_value_info(WORDS, TensorProto.INT64, [1, time])],
        [
            helper.make_tensor_value_info(SIGNS, TensorProto.FLOAT, [1, time, len(Sign)]),
            helper.make_tensor_value_info(CASES, TensorProto.FLOAT, [1, time, len(Case)]),
        ],
        builder.constants,
    )
    model = helper.make_model(
        graph, producer_name="asr-train", opset_imports=[helper.make_opsetid("", _OPSET)]
    )
    model.ir_version = _IR_VERSION
    return model


def _embedded(builder: _Builder, network: PunctuationNetwork) -> str:
    """Add the embedding, which stays int8 in memory, and its projection."""
    integers, scales = _quantised(network.embedding.weight, 0)
    table = builder.constant("embedding_int8", integers)
    rows = builder.node("Gather", [table, WORDS], "embedding_rows")
    scale = builder.node(
        "Gather", [builder.constant("embedding_scale", scales), WORDS], "embedding_row_scales"
    )
    wide = builder.node("Cast", [rows], "embedding_cast", to=TensorProto.FLOAT)
    embedded = builder.node("Mul", [wide, scale], "embedding")
    return _linear(builder, "project", embedded, network.project.weight, network.project.bias)


def _linear(builder: _Builder, name: str, value: str, weight: Tensor, bias: Tensor) -> str:
    product = builder.node(
        "MatMul", [value, builder.weights(f"{name}_weight", weight.t(), 1)], f"{name}_product"
    )
    return builder.node(
        "Add", [product, builder.constant(f"{name}_bias", bias.detach().numpy())], name
    )


def _normed(builder: _Builder, name: str, value: str, norm: Any) -> str:
    return builder.node(
        "LayerNormalization",
        [
            value,
            builder.constant(f"{name}_weight", norm.weight.detach().numpy()),
            builder.constant(f"{name}_bias", norm.bias.detach().numpy()),
        ],
        name,
        axis=-1,
        epsilon=norm.eps,
    )


def _heads(builder: _Builder, network: PunctuationNetwork, state: str) -> None:
    normed = _normed(builder, "norm", state, network.norm)
    weight, bias = network.heads.weight, network.heads.bias
    parts = ((SIGNS, slice(0, len(Sign))), (CASES, slice(len(Sign), None)))
    for name, part in parts:
        logits = _linear(builder, f"{name}_logits", normed, weight[part], bias[part])
        builder.node("LogSoftmax", [logits], name, axis=-1)
