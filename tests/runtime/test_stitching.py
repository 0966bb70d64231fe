"""A seam loses no character and doubles none, wherever it falls and however the windows differ."""

import numpy as np
import pytest

from asr_runtime.decoding.greedy import greedy_text
from asr_runtime.recordings.stitching import SeamConfig, find_seam, stitch

VOCABULARY = [*"abcdef", " ", "-"]
BLANK = 7
CONFIG = SeamConfig(margin=4, pause=6, reach=3)


def frames(path, certainty=0.9):
    """Log-probabilities whose best classes spell the path."""
    probabilities = np.full((len(path), len(VOCABULARY)), (1 - certainty) / (len(VOCABULARY) - 1))
    probabilities[range(len(path)), [VOCABULARY.index(label) for label in path]] = certainty
    return np.log(probabilities).astype(np.float32)


def text(log_probs):
    return greedy_text(log_probs, VOCABULARY, BLANK)


def stitched(first, second, overlap, config=CONFIG):
    """Two windows given as paths; the first has the half frame more that every window has."""
    windows = [(0, frames(first + "-")), (len(first) - overlap, frames(second))]
    joined = np.concatenate(list(stitch(windows, BLANK, config)))
    assert len(joined) == len(first) - overlap + len(second)
    return text(joined)


LETTERS = "ab--c-dd-e---f-c-bb--b-f d--a-e--f-b-c--a-d-f-cb-e- -d--f-e-b"


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("place", range(24, 46))
def test_windows_that_hear_everything_some_frames_apart(place, shift):
    """No place is a pause; some gaps between characters are longer than the windows are apart."""
    overlap = 24
    first = LETTERS[:place]
    moved = "-" * shift + LETTERS if shift >= 0 else LETTERS[-shift:] + "-" * -shift
    second = moved[place - overlap :]
    # What the margins hide from one window is the other's.
    assert stitched(first, second, overlap) == text(frames(LETTERS))


@pytest.mark.parametrize("seed", range(40))
def test_windows_that_disagree_keep_what_both_heard(seed):
    """The stitched characters are a way from the one reading to the other, with no detour."""
    random = np.random.default_rng(seed)
    path = list(random.choice(list("abcdef  ------------"), 60))

    def heard():
        changed = path.copy()
        for place in random.choice(60, 8, replace=False):
            changed[place] = random.choice(list("abc --"))
        move = int(random.integers(0, 3))
        return ("-" * move + "".join(changed))[:60]

    first, second = frames(heard()), frames(heard())
    seam = find_seam(first, second, BLANK, CONFIG)
    joined = labels(np.concatenate((first[:seam], second[seam:])))
    one, other = labels(first), labels(second)
    assert edits(one, joined) + edits(joined, other) == edits(one, other)
    assert CONFIG.margin <= seam <= 60 - CONFIG.margin


def labels(log_probs):
    best = log_probs.argmax(axis=1)
    changed = np.concatenate(([True], best[1:] != best[:-1]))
    return [VOCABULARY[label] for label in best[changed] if label != BLANK]


def edits(one, other):
    """The edit distance; a changed character costs three halves of a lost one."""
    row = [2 * place for place in range(len(other) + 1)]
    for number, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], 2 * number
        for index, wanted in enumerate(other, 1):
            diagonal, row[index] = (
                row[index],
                min(diagonal + 3 * (letter != wanted), row[index] + 2, row[index - 1] + 2),
            )
    return row[-1]


class TestPlace:
    def test_longest_pause(self):
        path = "-ab--c-------d-e-----------f--ab"
        assert find_seam(frames(path), frames(path), BLANK, CONFIG) in (21, 22)

    def test_pause_is_cut_within_the_margins(self):
        path = "-" * 30
        assert find_seam(frames(path), frames(path), BLANK, CONFIG) in (15, 16)

    def test_no_pause_in_the_other_window(self):
        first = "a-b-c----------d-e-f-a-b-c-d"
        second = "a-b-c-e-f-e-f-ed-e-f-a-b-c-d"
        assert find_seam(frames(first), frames(second), BLANK, CONFIG) > 15

    def test_word_boundary_at_either_end_of_a_pause(self):
        """The one window has it before, the other after: a seam between would join two words."""
        for first, second in [("ab-----------  cd-", "ab  -----------cd-")] * 2:
            for one, other in [(first, second), (second, first)]:
                seam = find_seam(frames(one), frames(other), BLANK, CONFIG)
                joined = np.concatenate((frames(one)[:seam], frames(other)[seam:]))
                assert text(joined) == "ab cd"

    def test_without_pause_where_they_agree(self):
        path = "a-b-c-d-e-f-a-b-c-d-e-f-a-b-"
        first, second = frames(path), frames(path, 0.5)
        second[16:22] = first[16:22]
        assert find_seam(first, second, BLANK, CONFIG) == 19


@pytest.mark.parametrize("overlap", [0, 1, 2, 5])
def test_overlap_shorter_than_the_margins(overlap):
    assert stitched("a-b-c-", "a-b-c-"[6 - overlap :] + "d-e", overlap) == "abcde"


def test_every_frame_comes_out_once():
    rows = np.log(np.random.default_rng(0).dirichlet(np.ones(8), 100)).astype(np.float32)
    windows = [(begin, rows[begin : begin + 31]) for begin in range(0, 80, 20)]
    parts = list(stitch(windows, BLANK, CONFIG))
    np.testing.assert_array_equal(np.concatenate(parts), rows[:91])
    assert list(stitch([], BLANK, CONFIG)) == []
    assert len(next(stitch([(0, rows)], BLANK, CONFIG))) == 100
