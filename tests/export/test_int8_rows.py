"""The int8 grid: rounding to it, and finding it again in what an export made of the weights."""

from __future__ import annotations

import numpy as np
import pytest

from asr_export.int8_rows import find_rows, round_rows


@pytest.fixture
def weight() -> np.ndarray:
    """Rows of very different size, one of them of zeros."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((40, 65)) * np.logspace(-6, 4, 40)[:, None]
    rows[7] = 0.0
    return rows.astype(np.float32)


def test_no_weight_moves_by_more_than_half_a_step_of_its_row(weight: np.ndarray) -> None:
    rounded = round_rows(weight)
    assert rounded.dtype == np.float32
    step = np.abs(weight).max(axis=1, keepdims=True) / 127
    assert (np.abs(rounded - weight) <= 0.501 * step).all()
    assert len(np.unique(rounded[3])) > 30
    assert (rounded[7] == 0).all()


def test_rounding_twice_is_rounding_once(weight: np.ndarray) -> None:
    once = round_rows(weight)
    assert np.array_equal(round_rows(once), once)


def test_numbers_and_scales_are_found_again_exactly(weight: np.ndarray) -> None:
    rounded = round_rows(weight)
    stacked = np.stack([rounded[:20], rounded[20:]])  # as a recurrent layer's two directions
    for values, scales in (
        (rounded, (40, 1)),
        (np.ascontiguousarray(rounded.T), (1, 40)),
        (stacked, (2, 20, 1)),
    ):
        found = find_rows(values)
        assert found is not None
        numbers, scale = found
        assert numbers.dtype == np.int8
        assert np.abs(numbers.astype(int)).max() == 127
        assert scale.shape == scales
        assert np.array_equal(numbers.astype(np.float32) * scale, values)


def test_other_weights_are_on_no_grid(weight: np.ndarray) -> None:
    nearly = round_rows(weight)
    nearly[0, 0] = np.nextafter(nearly[0, 0], np.float32(9))
    for values in (weight, nearly, np.full((3, 3), np.nan, np.float32), weight[0]):
        assert find_rows(values) is None
