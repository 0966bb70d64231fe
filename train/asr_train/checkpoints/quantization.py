"""Weights quantized to what a small file holds, after training or during it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from asr_train.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from asr_train.checkpoints.int8_grid import quantize_rows
from asr_train.errors import CheckpointError
from asr_train.model.config import WeightQuantization
from asr_train.model.network import ResCNNBiGRU


@torch.no_grad()
def quantize_weights(model: ResCNNBiGRU, quantization: WeightQuantization) -> None:
    """Round ``model``'s weights in place.

    The front end and its statistics are not rounded. The last layer stays out of int8: 0.2 % of
    the edge model's weights, but rounding it alone moves the log-probabilities by 0.023 in the
    mean, as much as rounding all the others (0.024), because nothing after it averages its errors
    out. So do the convolutions: 1.5 % of the weights, and alone they move single values by up to
    0.8.

    Args:
        model: float32.
        quantization: what to round to.

    Raises:
        CheckpointError: a weight that is not finite, or too large for float16.
    """
    for weight, rounded in _quantized(model, quantization):
        weight.copy_(rounded)


def quantize_checkpoint(folder: Path, out: Path, quantization: WeightQuantization) -> None:
    """Copy a checkpoint with its weights rounded, in half the bytes, for shipping.

    The network still computes in float32. The front end's statistics stay as they are.

    Raises:
        CheckpointError: unusable, or a weight that is not finite, or too large for float16.
    """
    checkpoint = load_checkpoint(folder)
    quantize_weights(checkpoint.model, quantization)
    save_checkpoint(out, checkpoint.model, checkpoint.progress, half=True)


@contextmanager
def quantized_weights(model: ResCNNBiGRU, quantization: WeightQuantization) -> Iterator[None]:
    """``model`` with its weights rounded inside the ``with`` block, and as they were after it.

    A step whose loss and gradients are computed inside, and applied after, trains the network that
    will be shipped: the gradient passes the rounding as if it were not there (straight-through,
    Bengio et al. 2013, arXiv:1308.3432; for quantisation Jacob et al. 2018, arXiv:1712.05877).

    Raises:
        CheckpointError: a weight that is not finite, or too large for float16.
    """
    changes = _quantized(model, quantization)
    originals = [(weight, weight.detach().clone()) for weight, _ in changes]
    with torch.no_grad():
        for weight, rounded in changes:
            weight.copy_(rounded)
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, original in originals:
                weight.copy_(original)


@torch.no_grad()
def _quantized(
    model: ResCNNBiGRU, quantization: WeightQuantization
) -> list[tuple[nn.Parameter, Tensor]]:
    if quantization is WeightQuantization.none:
        return []
    coarse = _int8_weights(model) if quantization is WeightQuantization.int8 else set()
    changes = []
    for name, weight in model.named_parameters():
        half = weight.half().float()
        if not torch.isfinite(half).all():
            raise CheckpointError(f"'{name}' has values that float16 cannot hold")
        changes.append((weight, quantize_rows(weight) if name in coarse else half))
    return changes


def _int8_weights(model: ResCNNBiGRU) -> set[str]:
    """Names of the matrices of all recurrent and linear layers but the last of each head."""
    last = [head[-1] for head in (model.classifier, model.phoneme_classifier) if head is not None]
    return {
        f"{layer}.{name}"
        for layer, module in model.named_modules()
        if isinstance(module, (nn.GRU, nn.Linear)) and module not in last
        for name, weight in module.named_parameters()
        if weight.ndim == 2
    }
