"""Real numbers as codes of a few bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def quantise(
    values: npt.NDArray[np.float64], bits: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Codes [values] into a table of 2 ** `bits` values, those of equal shares of the values.

    Each share is represented by its mean, so that the error is small where most values are; half
    the shares divide the range evenly instead, which bounds the error of rare values.
    """
    table = np.zeros(1 << bits, np.float32)
    if not len(values):
        return np.zeros(0, np.uint8), table
    even = np.linspace(values.min(), values.max(), (1 << bits - 1) + 1)
    equal = np.quantile(values, np.linspace(0, 1, (1 << bits - 1) + 1))
    edges = np.unique(np.concatenate([even, equal[1:-1]]))[1:-1]
    codes = np.searchsorted(edges, values, side="right")
    number = np.bincount(codes, minlength=len(edges) + 1)
    means = np.bincount(codes, values, minlength=len(edges) + 1) / np.maximum(number, 1)
    table[: len(means)] = means
    table[len(means) :] = means[-1]
    return codes.astype(np.uint8), table
