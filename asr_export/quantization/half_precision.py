"""A model that computes in float16, as GPUs do it fastest, behind a front end in float32."""

from __future__ import annotations

import copy

import numpy as np
import onnx
from onnx import numpy_helper
from torch import Tensor

from asr_train.model.features import LogMelFrontEnd
from asr_train.model.network import ResCNNBiGRU


class HalfFrontEnd(LogMelFrontEnd):
    """Features in float16 of arithmetic in float32.

    Powers of the DFT, up to 10^4, and the 10^-6 that silence has do not both fit float16, nor
    would a logarithm survive it. Normalised features are of a few units.
    """

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features of padded audio.

        Args:
            samples: float32 [batch, samples].
            lengths: int64 [batch], samples of each before the padding.

        Returns:
            Features float16 [batch, n_mels, mel frames], and mel frames int64 [batch].
        """
        features, frame_lengths = super().forward(samples, lengths)
        return features.half(), frame_lengths


def in_half_precision(model: ResCNNBiGRU) -> ResCNNBiGRU:
    """Copy a model, with float16 weights and arithmetic between features and logits.

    Input, log-softmax and outputs stay float32; lengths and masks are whole numbers and 0 or 1.

    Args:
        model: with weights that float16 holds; others become infinite.
    """
    half = copy.deepcopy(model)
    front_end = HalfFrontEnd(model.config)
    front_end.load_state_dict(model.front_end.state_dict())
    for part in half.children():
        if part is not half.front_end:
            part.half()
    half.front_end = front_end
    return half.eval()


def in_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """Copy an exported graph, with float32 wherever it has float16, the weights' values kept.

    What is left in it are the exporter's faults, if any, for float32's tolerance to find. GELU's
    root of 2, the one constant besides the weights that float16 does not hold, is float32's.
    """
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    half = onnx.TensorProto.FLOAT16
    for tensor in wide.graph.initializer:
        if tensor.data_type == half:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            if values.ndim == 0 and values == np.float16(np.sqrt(2)):
                values = np.sqrt(np.float32(2))
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(values), tensor.name))
    for node in wide.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i == half:
                attribute.i = onnx.TensorProto.FLOAT
    return wide
