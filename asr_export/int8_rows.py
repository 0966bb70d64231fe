"""Weights on an int8 grid: in each row, whole numbers from -127 to 127 times the row's scale.

Scales are short enough (16 significant bits) that number times scale is exact in float32. So a
rounded weight is an ordinary float32 weight, which any engine computes with as it is, and numbers
and scales can be found in it again without loss when a file is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int8 = npt.NDArray[np.int8]

#: The largest whole number. Not -128 as well: the grid is symmetric.
LARGEST = 127
_SCALE_BITS = 16


def round_rows(weight: Float32) -> Float32:
    """The nearest weight on the grid whose rows' largest entries are ±127 times the scale.

    A finer grid that clips the largest entries, chosen by squared error, was tried: on the edge
    model it brings the results no closer (mean |Δ log-probability| 0.0333 against 0.0334).

    Args:
        weight: [rows, columns], such as a linear layer's [outputs, inputs].

    Returns:
        The same shape. A weight on the grid already comes back as it is.
    """
    rows = weight.astype(np.float64)
    scale = _shortened(np.abs(rows).max(axis=1, keepdims=True) / LARGEST)
    rounded: Float32 = (scale * np.rint(_divided(rows, scale))).astype(np.float32)
    return rounded


def find_rows(values: Float32) -> tuple[Int8, Float32] | None:
    """Whole numbers and scales whose product is exactly ``values``; None when there are none.

    Rows may lie along the last axis, as in the stacked weights of a recurrent layer, or along the
    first, as in those of a linear layer, which the exporter transposes.

    Returns:
        int8 of the shape of ``values``, float32 that broadcasts to it.
    """
    if values.ndim < 2 or not np.isfinite(values).all():
        return None
    for axis in (values.ndim - 1, 0):
        # In every row of the grid some entry is ±127 times the scale, or all are 0.
        scale: Float32 = np.abs(values).max(axis=axis, keepdims=True) / np.float32(LARGEST)
        numbers = np.rint(_divided(values, scale)).astype(np.int8)
        if np.array_equal(numbers.astype(np.float32) * scale, values):
            return numbers, scale
    return None


def _shortened(scale: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rounded to ``_SCALE_BITS`` significant bits."""
    fraction, exponent = np.frexp(scale)
    whole = np.rint(np.ldexp(fraction, _SCALE_BITS))
    shortened: npt.NDArray[np.float64] = np.ldexp(whole, exponent - _SCALE_BITS)
    return shortened


def _divided(values: npt.NDArray[Any], scale: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``values / scale``; 0 in rows whose scale is 0."""
    quotient: npt.NDArray[Any] = np.divide(
        values, scale, out=np.zeros_like(values), where=scale > 0
    )
    return quotient
