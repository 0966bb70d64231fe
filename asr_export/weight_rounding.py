"""A model with the weights that a file of a given precision holds."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from asr_export.errors import ExportError
from asr_export.int8_rows import round_rows
from asr_export.precision import Precision
from asr_train.model import ResCNNBiGRU


def round_weights(model: ResCNNBiGRU, precision: Precision) -> ResCNNBiGRU:
    """``model`` itself for fp32, else a copy with its weights rounded; both compute in float32.

    The front end and its statistics are not rounded. The last layer stays out of int8: 0.2 % of
    the edge model's weights, but rounding it alone moves the log-probabilities by 0.023 in the
    mean, as much as rounding all the others (0.024), for nothing after it averages its errors out.
    So do the convolutions: 1.5 % of the weights, and alone they move single values by up to 0.8.

    Raises:
        ExportError: a weight that is not finite, or too large for float16.
    """
    if precision is Precision.fp32:
        return model
    rounded = copy.deepcopy(model)
    coarse = _int8_weights(rounded) if precision is Precision.int8 else set()
    with torch.no_grad():
        for name, weight in rounded.named_parameters():
            half = weight.half()
            if not torch.isfinite(half).all():
                raise ExportError(
                    f"'{name}' has values that float16 cannot hold; export with --precision fp32"
                )
            weight.copy_(_on_int8_grid(weight) if name in coarse else half)
    return rounded


def _int8_weights(model: ResCNNBiGRU) -> set[str]:
    """Names of the matrices of all recurrent and linear layers but the last."""
    last = model.classifier[-1]
    return {
        f"{layer}.{name}"
        for layer, module in model.named_modules()
        if isinstance(module, (nn.GRU, nn.Linear)) and module is not last
        for name, weight in module.named_parameters()
        if weight.ndim == 2
    }


def _on_int8_grid(weight: Tensor) -> Tensor:
    return torch.from_numpy(round_rows(weight.detach().numpy()))
