"""Windows hold all audio, overlap as asked for, and begin with a frame."""

import numpy as np
import pytest

from asr_runtime.recordings.windows import cut_windows

STRIDE = 480


def cut(samples, window=20, overlap=6, block=7_000):
    blocks = [samples[begin : begin + block] for begin in range(0, len(samples), block)]
    return list(cut_windows(blocks, window, overlap, STRIDE))


@pytest.mark.parametrize("block", [1, 479, 7_000, 100_000])
def test_windows_are_the_audio(block):
    samples = np.arange(16_003 if block == 1 else 60_001, dtype=np.float32)
    windows = cut(samples, block=block)
    assert len(windows) > 1
    for number, window in enumerate(windows):
        assert window.first_frame == number * 14
        begin = window.first_frame * STRIDE
        np.testing.assert_array_equal(window.samples, samples[begin : begin + 20 * STRIDE])
    assert all(len(window.samples) == 20 * STRIDE for window in windows[:-1])
    assert windows[-1].samples[-1] == samples[-1]


@pytest.mark.parametrize("extra", [-1, 0, 1, 14 * STRIDE, 14 * STRIDE + 1])
def test_last_window_is_longer_than_the_overlap(extra):
    windows = cut(np.zeros(20 * STRIDE + extra, np.float32))
    assert len(windows) == (1 if extra <= 0 else 2 if extra <= 14 * STRIDE else 3)
    if len(windows) > 1:
        assert 6 * STRIDE < len(windows[-1].samples) <= 20 * STRIDE


def test_holds_one_window_at_a_time():
    """Windows come while audio does: of endless audio, the first after its last sample."""
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros(STRIDE, np.float32)

    windows = cut_windows(endless(), 20, 6, STRIDE)
    for number in range(50):
        next(windows)
        assert taken == 21 + 14 * number


def test_nothing():
    assert cut(np.zeros(0, np.float32)) == []


def test_overlap_of_a_whole_window():
    with pytest.raises(ValueError, match="cannot overlap"):
        cut(np.zeros(100, np.float32), window=6, overlap=6)
