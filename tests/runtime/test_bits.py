"""Bits that know their rank."""

import numpy as np
import pytest

from asr_runtime.language.bit_vector import BitVector, popcount


@pytest.mark.parametrize("number", [1, 31, 32, 33, 1000])
def test_rank_counts_the_bits_before(number):
    bits = np.random.default_rng(number).random(number) < 0.4
    ranked = BitVector(np.packbits(bits, bitorder="little"), number)
    places = np.arange(number)
    np.testing.assert_array_equal(ranked.at(places), bits)
    np.testing.assert_array_equal(ranked.rank(places), np.cumsum(bits) - bits)


def test_popcount():
    numbers = np.array([0, 1, 0xFFFF, 0x10000, 0xFFFFFFFF, 0x80000001], np.uint32)
    assert popcount(numbers).tolist() == [0, 1, 16, 1, 32, 2]
