"""Intervals cover what they should, and what is shared cancels out."""

import numpy as np
import pytest

from asr_bench.measuring.bootstrap import (
    RESAMPLES,
    Resamples,
    interval,
    median_interval,
    paired_ratio_interval,
    rate_difference_interval,
    rate_interval,
)


def test_samples_that_agree_leave_no_doubt() -> None:
    found = median_interval([3.0] * 10)
    assert (found.low, found.high, found.half_width) == (3, 3, 0)
    assert median_interval([2.0]).high == 2


def test_intervals_of_the_median_hold_it_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((100, 15))
    held = [(found := median_interval(row)).low <= 0 <= found.high for row in samples]
    assert 0.88 <= np.mean(held) <= 1


def test_the_width_is_that_of_theory() -> None:
    samples = np.random.default_rng(1).standard_normal(400)
    # The standard error of a normal sample's median is 1.253 / sqrt(n).
    assert median_interval(samples).half_width == pytest.approx(1.96 * 1.253 / 20, rel=0.3)
    assert median_interval(samples, 0.5).half_width < median_interval(samples).half_width


def test_what_a_round_shares_cancels_out() -> None:
    machine = np.exp(np.random.default_rng(2).standard_normal(20))
    found = paired_ratio_interval(2 * machine, machine)
    assert (found.low, found.high) == pytest.approx((2, 2))
    # The same rounds are drawn for all samples of one number.
    rounds = Resamples(7)
    assert rounds.medians(3 * machine) == pytest.approx(3 * rounds.medians(machine))
    assert not np.allclose(Resamples(8).medians(machine), rounds.medians(machine))


def test_many_samples_are_drawn_in_blocks(monkeypatch) -> None:
    samples = np.random.default_rng(3).standard_normal(50)
    whole = Resamples(0).medians(samples)
    monkeypatch.setattr("asr_bench.measuring.bootstrap._BLOCK", 1000)
    parts = Resamples(0).medians(samples)
    assert parts.shape == whole.shape == (RESAMPLES,)
    assert interval(parts).low == pytest.approx(interval(whole).low, abs=0.1)


def test_stretches_tell_how_samples_wander() -> None:
    wandering = np.repeat([1.0, 2.0], 50)
    found = interval(Resamples(0).stretch_medians(wandering, 10))
    assert (found.low, found.high) == (1, 2)
    # Drawn one by one, they would say that the median is surely in the middle of a long run.
    assert Resamples(0).stretch_medians([1.0, 2.0], 10) == pytest.approx(1.5)


def test_word_error_rates() -> None:
    found = rate_interval([(1, 4)] * 30)
    assert (found.low, found.high) == (0.25, 0.25)
    mixed = rate_interval([(0, 10), (5, 10)] * 30)
    # Half of 60 recordings have 0.5: a standard error of 0.25 / sqrt(60).
    assert mixed.half_width == pytest.approx(1.96 * 0.25 / 60**0.5, rel=0.25)
    assert mixed.low < 0.25 < mixed.high
    assert rate_interval([(2, 0), (0, 3)]).low == 0  # no division by the words of a silence


def test_rates_are_compared_recording_by_recording() -> None:
    before = [(0, 10), (8, 10)] * 20
    after = [(1, 10), (9, 10)] * 20
    found = rate_difference_interval(before, after)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))
