"""A model with the weights that a file of a given precision holds."""

from __future__ import annotations

import copy

from asr_export.errors import ExportError
from asr_export.quantization.precision import Precision
from asr_train.checkpoints.quantization import quantize_weights as quantize_in_place
from asr_train.errors import CheckpointError
from asr_train.model.config import WeightQuantization
from asr_train.model.network import ResCNNBiGRU

_ROUNDING = {
    Precision.fp32: WeightQuantization.none,
    Precision.fp16: WeightQuantization.fp16,
    Precision.int8: WeightQuantization.int8,
}


def round_weights(model: ResCNNBiGRU, precision: Precision) -> ResCNNBiGRU:
    """Round a model's weights; it computes in float32 all the same.

    Args:
        model: stays as it is.
        precision: what the weights are rounded to.

    Returns:
        ``model`` itself for fp32, else a copy.

    Raises:
        ExportError: a weight that is not finite, or too large for float16.
    """
    if precision is Precision.fp32:
        return model
    rounded = copy.deepcopy(model)
    try:
        quantize_in_place(rounded, _ROUNDING[precision])
    except CheckpointError as error:
        raise ExportError(f"{error}; export with --precision fp32") from None
    return rounded
