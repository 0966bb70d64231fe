"""Weights on an int8 grid: in each row, whole numbers from -127 to 127 times the row's scale.

Scales have 4 significant bits, so that number times scale has 11: it is exact in float16 and in
float32. A rounded weight is an ordinary weight, which any engine computes with as it is; files in
float32, float16 and int8 hold the same one; and numbers and scales can be found in it again
without loss when a file is written.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: The largest whole number. Not -128 as well: the grid is symmetric.
LARGEST = 127
_STEPS = 16  # scales with 4 significant bits are _STEPS / 2 to _STEPS times a power of two


def quantize_rows(weight: Tensor) -> Tensor:
    """The nearest weight on the grid with the finest scales that clip nothing.

    Finer ones that clip the largest entries, chosen by squared error, were tried: on the edge
    model they bring the results no closer (mean |Δ log-probability| 0.0333 against 0.0334).

    Args:
        weight: float32 [rows, columns], such as a linear layer's [outputs, inputs].

    Returns:
        The same shape and device. A weight on the grid already comes back as it is.
    """
    scale, _ = _scales(weight, 1)
    return _numbers(weight, scale) * scale


def find_rows(values: Tensor) -> tuple[Tensor, Tensor] | None:
    """Whole numbers and scales whose product is exactly ``values``; None when there are none.

    Rows may lie along the last axis, as in the stacked weights of a recurrent layer, or along the
    first, as in those of a linear layer, which the exporter transposes.

    Args:
        values: float32, as rounded.

    Returns:
        int8 of the shape of ``values``, float32 that broadcasts to it.
    """
    if values.ndim < 2 or not torch.isfinite(values).all():
        return None
    for axis in (values.ndim - 1, 0):
        scale, exact = _scales(values, axis)
        if exact:
            return _numbers(values, scale).to(torch.int8), scale
    return None


def _scales(values: Tensor, axis: int) -> tuple[Tensor, bool]:
    """The scale of each row along ``axis``, and whether every row is on its grid as it is."""
    largest = values.abs().amax(axis, keepdim=True).double()
    fraction, exponent = torch.frexp(largest / LARGEST)
    steps = torch.ceil(fraction * _STEPS)
    scale = torch.ldexp(steps, exponent).div(_STEPS).float()
    # Rounding may have brought the largest entry down to where the scale before would do: a row
    # that was rounded once must come back with its own.
    steps += torch.where(steps == _STEPS, 2.0, 1.0)
    before = torch.ldexp(steps, exponent).div(_STEPS).float()
    fits, fitted = (
        (_numbers(values, each) * each == values).all(axis, keepdim=True)
        for each in (scale, before)
    )
    return torch.where(fitted & ~fits, before, scale), bool((fits | fitted).all())


def _numbers(values: Tensor, scale: Tensor) -> Tensor:
    """Whole numbers, still float32; 0 in rows whose scale is 0."""
    numbers: Tensor = torch.round(values / torch.where(scale > 0, scale, 1.0))
    return numbers
