"""Cross entropy of a linear layer over many classes, without its logits in memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_ROWS = 256
"""Rows at a time: their logits over some thousand classes stay in a processor's cache."""


def linear_cross_entropy(states: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Sum the cross entropy of a linear layer's softmax.

    The gradient is computed together with the value, a block of rows at a time: the logits of a
    whole step over thousands of classes are never written to memory and read again, which takes
    most of the time on a CPU.

    Args:
        states: What the layer gets [rows, inputs].
        weight: Of the layer [classes, inputs].
        bias: Of the layer [classes].
        targets: The right class of each row, int64 [rows].

    Returns:
        The sum over the rows, a scalar in nats, differentiable once.
    """
    total: Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, bias, targets
    )
    return total


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        """Compute the sum, a scalar, and the gradients in the shapes of the arguments."""
        to_states = torch.empty_like(states)
        to_weight, to_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        total = 0.0
        for begin in range(0, len(states), _ROWS):
            block = states[begin : begin + _ROWS]
            classes = targets[begin : begin + _ROWS, None]
            # Logits, which become probabilities and then their gradient where they lie.
            values = torch.addmm(bias, block, weight.t())
            highest = values.amax(1, keepdim=True)
            right = values.gather(1, classes)
            values.sub_(highest).exp_()
            sums = values.sum(1, keepdim=True)
            total += float((sums.log() + highest - right).sum())
            values.div_(sums)
            values.scatter_add_(1, classes, torch.full_like(right, -1.0))
            torch.mm(values, weight, out=to_states[begin : begin + _ROWS])
            to_weight.addmm_(values.t(), block)
            to_bias += values.sum(0)
        ctx.save_for_backward(to_states, to_weight, to_bias)
        return states.new_tensor(total)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Scale the gradients by that of the sum, a scalar."""
        to_states, to_weight, to_bias = ctx.saved_tensors
        return to_states * gradient, to_weight * gradient, to_bias * gradient, None
