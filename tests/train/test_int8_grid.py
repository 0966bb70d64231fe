"""The int8 grid: rounding to it, and finding it again in what an export made of the weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from asr_train.checkpoints.int8_grid import find_rows, quantize_rows


@pytest.fixture
def weight() -> Tensor:
    """Rows of very different size, one of them of zeros."""
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(40, 65, generator=generator) * torch.logspace(-6, 4, 40)[:, None]
    rows[7] = 0.0
    return rows


def test_no_weight_moves_by_more_than_half_a_step_of_its_row(weight: Tensor) -> None:
    rounded = quantize_rows(weight)
    assert rounded.dtype == torch.float32
    # Scales of 4 significant bits are up to an eighth wider than the finest.
    step = weight.abs().amax(dim=1, keepdim=True) / 127 * 9 / 8
    assert ((rounded - weight).abs() <= 0.501 * step).all()
    assert len(rounded[3].unique()) > 30
    assert (rounded[7] == 0).all()


def test_rounding_twice_is_rounding_once() -> None:
    # Among 20,000 rows are some whose largest entry lies just above what the finer scale reaches.
    generator = torch.Generator().manual_seed(5)
    once = quantize_rows(torch.randn(20_000, 12, generator=generator))
    assert torch.equal(quantize_rows(once), once)


def test_a_rounded_weight_is_a_float16_number() -> None:
    rounded = quantize_rows(torch.randn(64, 96, generator=torch.Generator().manual_seed(4)))
    assert torch.equal(rounded.half().float(), rounded)


def test_numbers_and_scales_are_found_again_exactly(weight: Tensor) -> None:
    rounded = quantize_rows(weight)
    stacked = torch.stack([rounded[:20], rounded[20:]])  # as a recurrent layer's two directions
    for values, scales in (
        (rounded, (40, 1)),
        (rounded.T.contiguous(), (1, 40)),
        (stacked, (2, 20, 1)),
    ):
        found = find_rows(values)
        assert found is not None
        numbers, scale = found
        assert numbers.dtype == torch.int8
        assert 112 <= numbers.int().abs().max() <= 127
        assert scale.shape == scales
        assert torch.equal(numbers.float() * scale, values)


def test_other_weights_are_on_no_grid(weight: Tensor) -> None:
    nearly = quantize_rows(weight)
    nearly[0, 0] = torch.nextafter(nearly[0, 0], torch.tensor(9.0))
    for values in (weight, nearly, torch.full((3, 3), torch.nan), weight[0]):
        assert find_rows(values) is None
