"""Each change of a batch does what it says, to the utterances that it is meant for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from asr_train.augmentation.batched import (
    BatchAugmenter,
    add_noise,
    change_levels,
    change_speed,
    pad_with_silence,
    reverberate,
    telephone_channel,
)
from asr_train.augmentation.config import AugmentationConfig
from asr_train.model.features import length_mask

RATE = 16_000
LENGTHS = torch.tensor([RATE, RATE // 2])
MASK = length_mask(LENGTHS, RATE)


def tones(*frequencies: float) -> Tensor:
    time = torch.arange(RATE) / RATE
    return torch.stack([0.3 * torch.sin(2 * math.pi * f * time) for f in frequencies]) * MASK


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def peak_frequency(samples: Tensor) -> float:
    spectrum = torch.fft.rfft(samples * torch.hann_window(len(samples))).abs()
    return float(spectrum.argmax() * RATE / len(samples))


def power(samples: Tensor) -> float:
    return float(samples.square().mean())


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_changes_length_and_pitch(factor: float) -> None:
    changed, lengths = change_speed(tones(1000, 2000), LENGTHS, torch.zeros(2), factor)
    assert lengths.tolist() == pytest.approx((LENGTHS / factor).tolist(), abs=1)
    for row, length, pitch in zip(changed, lengths.tolist(), (1000, 2000), strict=True):
        assert peak_frequency(row[:length]) == pytest.approx(pitch * factor, rel=5e-3)


def test_speed_leaves_alone_what_would_become_too_short() -> None:
    samples = tones(1000, 2000)
    changed, lengths = change_speed(samples, LENGTHS, torch.tensor([RATE, 0]), 1.1)
    assert lengths[0] == RATE
    assert lengths[1] < LENGTHS[1]
    torch.testing.assert_close(changed[0], samples[0])


def test_noise_has_its_level_and_leaves_digital_silence() -> None:
    samples = torch.cat([tones(440, 880)] * 20 + [torch.zeros(2, RATE)])
    mask = MASK.repeat(21, 1)
    noise = add_noise(samples, mask, generator()) - samples
    ratios = [
        10 * math.log10(power(row[inside]) / power(added[inside]))
        for row, added, inside in zip(samples[:40], noise, mask, strict=False)
    ]
    assert 5 <= min(ratios) < 9
    assert 26 < max(ratios) <= 30.1
    assert not noise[40:].any()
    assert not noise[~mask].any()


def test_a_room_rings_on_within_the_utterance() -> None:
    click = torch.zeros(2, RATE)
    click[:, 1000] = 0.5
    wet = reverberate(click, MASK, generator())
    assert wet[0, 1000] == pytest.approx(0.5, abs=1e-4)
    assert wet[:, 1001:4000].abs().amax() > 1e-3
    assert not wet[:, :990].abs().amax() > 1e-5
    assert not wet[1, RATE // 2 :].any()
    assert not torch.allclose(wet[0, 1001:4000], wet[1, 1001:4000]), "each has a room of its own"


def test_a_telephone_is_narrow() -> None:
    low, high = telephone_channel(tones(1000, 6000), MASK, generator())
    assert power(low) == pytest.approx(power(tones(1000, 6000)[0]), rel=0.1)
    assert power(high) < 0.01 * power(tones(1000, 6000)[1])


def test_levels_and_clipping() -> None:
    changed = change_levels(torch.full((200, 4), 0.9), torch.ones(200, 4).bool(), generator())
    assert changed.max() == 1.0
    gains = 20 * torch.log10(changed[:, 0] / 0.9)
    assert -20 <= gains.min() < -18
    assert len(set(gains.tolist())) > 100


def test_silence_goes_around_the_chosen_ones() -> None:
    samples = tones(440, 880)
    moved, lengths = pad_with_silence(samples, LENGTHS, torch.tensor([1]), generator())
    assert lengths[0] == LENGTHS[0]
    torch.testing.assert_close(moved[0, :RATE], samples[0])
    assert LENGTHS[1] < lengths[1] <= LENGTHS[1] + 2 * RATE
    assert power(moved[1]) * moved.shape[1] == pytest.approx(power(samples[1]) * RATE, rel=1e-4)
    assert not moved[1, 0]


def test_a_change_takes_its_share() -> None:
    augmenter = BatchAugmenter(AugmentationConfig(volume=0.3), torch.device("cpu"), 1)
    samples, lengths = torch.full((1000, 8), 0.1), torch.full((1000,), 8)
    changed, _, speech = augmenter(samples, lengths, torch.zeros(1000), 5)
    share = (changed != samples).any(1).float().mean()
    assert 0.25 < share < 0.35
    assert all(speech)
