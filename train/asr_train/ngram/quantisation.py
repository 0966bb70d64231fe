"""Real numbers as codes of a few bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_BINS = 1 << 14
_COARSE_BINS = 1 << 8
_ROUNDS = 300


def quantise(
    values: npt.NDArray[np.float64], bits: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Codes [values] into a table of 2 ** `bits` values with the least mean squared error.

    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28
    (1982), on a histogram. The shares begin as the best ones of many codes would be: as dense as
    the cube root of the values' density.
    """
    number = 1 << bits
    if not len(values):
        return np.zeros(0, np.uint8), np.zeros(number, np.float32)
    different = np.unique(values) if len(values) <= _BINS else values
    if len(different) <= number:
        table = np.append(different, np.full(number - len(different), different[-1]))
        return np.searchsorted(different, values).astype(np.uint8), table.astype(np.float32)
    count, edges = np.histogram(values, _BINS)
    sums, _ = np.histogram(values, edges, weights=values)
    counts_before = np.append(0, count.cumsum())
    sums_before = np.append(0, sums.cumsum())
    coarse = count.reshape(_COARSE_BINS, -1).sum(axis=1)
    density = np.cbrt(coarse).repeat(_BINS // _COARSE_BINS).cumsum()
    cuts = np.searchsorted(density, density[-1] * np.arange(1, number) / number) + 1
    for _ in range(_ROUNDS):
        bounds = np.concatenate([[0], cuts, [_BINS]])
        inside = np.diff(counts_before[bounds])
        middles = (edges[bounds[1:]] + edges[bounds[:-1]]) / 2
        means = np.where(inside, np.diff(sums_before[bounds]) / np.maximum(inside, 1), middles)
        new = np.searchsorted(edges[1:-1], (means[1:] + means[:-1]) / 2, "right")
        new = np.maximum.accumulate(np.clip(new, 1, _BINS - 1))
        if (new == cuts).all():
            break
        cuts = new
    codes = np.searchsorted(edges[cuts], values, side="right")
    inside = np.bincount(codes, minlength=number)
    means = np.where(inside, np.bincount(codes, values, number) / np.maximum(inside, 1), means)
    return codes.astype(np.uint8), means.astype(np.float32)
