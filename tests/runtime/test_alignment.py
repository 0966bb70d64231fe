"""Forced alignment against all paths, and in parts against in one."""

import itertools

import numpy as np
import pytest

from asr_runtime.decoding.alignment import align, align_in_parts, cut_frames

BLANK, SPACE = 3, 2


def random_log_probs(seed, frames):
    logits = 2 * np.random.default_rng(seed).standard_normal((frames, 4))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("labels", [[0], [0, 1], [0, 0], [1, 0, 0], [0, 1, 0, 1]])
@pytest.mark.parametrize("seed", range(4))
def test_best_of_all_paths(labels, seed):
    values = random_log_probs(seed, 6)
    values[:, SPACE] = -50  # no path through it, so that each path has one spelling

    def spelling(path):
        return [label for label, _ in itertools.groupby(path) if label != BLANK]

    best = max(
        (path for path in itertools.product([0, 1, BLANK], repeat=6) if spelling(path) == labels),
        key=lambda path: values[range(6), path].sum(),
    )
    spans = []
    for label, run in itertools.groupby(enumerate(best), key=lambda item: item[1]):
        frames = [frame for frame, _ in run]
        if label != BLANK:
            spans.append((frames[0], frames[-1]))
    first, last = align(values, np.array(labels), BLANK, SPACE)
    assert list(zip(first.tolist(), last.tolist(), strict=True)) == spans


def test_too_few_frames():
    with pytest.raises(ValueError, match="2 frames cannot spell 2 labels"):
        align(random_log_probs(0, 2), np.array([0, 0]), BLANK, SPACE)


def test_no_labels():
    first, last = align(random_log_probs(0, 3), np.zeros(0, np.int64), BLANK, SPACE)
    assert len(first) == len(last) == 0


def test_parts_give_the_same_as_one():
    generator = np.random.default_rng(5)
    labels, frames = [], []
    for _ in range(60):
        path = [*generator.choice([0, 1], 3), SPACE, *[BLANK] * generator.integers(1, 9)]
        frames += np.repeat(path, generator.integers(1, 3, len(path))).tolist()
    path = np.array(frames)
    values = np.full((len(path), 4), np.log(0.02))
    values[np.arange(len(path)), path] = np.log(0.94)
    begins = np.flatnonzero((path != BLANK) & (path != np.append(BLANK, path[:-1])))
    labels = path[begins]
    cuts = cut_frames(path == BLANK, 50, 100)
    assert len(cuts) > 3
    assert np.all(np.diff(cuts) <= 100)
    whole = align(values, labels, BLANK, SPACE)
    parts = align_in_parts(values, labels, begins, cuts, BLANK, SPACE)
    np.testing.assert_array_equal(whole, parts)
    np.testing.assert_array_equal(whole[0], begins)


def test_cuts_without_a_pause():
    assert cut_frames(np.zeros(250, bool), 50, 100).tolist() == [100, 200]
    assert cut_frames(np.zeros(100, bool), 50, 100).tolist() == []
    assert cut_frames(np.ones(0, bool), 50, 100).tolist() == []
