"""Words that silence explains better are no words."""

import numpy as np
import pytest

from asr_runtime.decoding.alignment import spoken_labels

A, B, SPACE, BLANK = 0, 1, 2, 3
TEXT = np.array([A, SPACE, B, B, SPACE, A])  # "a bb a", a frame a label and a blank after each
FIRST = np.arange(0, 12, 2)


def _log_probs(letters: list[float]) -> np.ndarray:
    """Each label with its probability, blanks with nearly the rest."""
    probabilities = np.full((12, 4), 1e-6)
    probabilities[:, BLANK] = 1.0
    probabilities[FIRST, TEXT] = letters
    probabilities[FIRST, BLANK] = 1.0 - np.array(letters)
    return np.log(probabilities)


def _kept(letters: list[float], threshold: float = 1.0) -> list[bool]:
    found = spoken_labels(_log_probs(letters), TEXT, FIRST, FIRST, BLANK, SPACE, threshold)
    return found.tolist()


def test_heard_words_stay() -> None:
    assert _kept([0.9] * 6) == [True] * 6


def test_a_word_may_have_a_letter_that_was_not_heard() -> None:
    assert _kept([0.9, 0.9, 0.99, 0.02, 0.9, 0.9]) == [True] * 6


@pytest.mark.parametrize(
    ("letters", "kept"),
    [
        ([0.1, 0.9, 0.9, 0.9, 0.9, 0.9], "bb a"),
        ([0.9, 0.9, 0.1, 0.1, 0.9, 0.9], "a a"),
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.1], "a bb"),
        ([0.1, 0.9, 0.1, 0.1, 0.9, 0.9], "a"),
        ([0.1, 0.9, 0.1, 0.1, 0.9, 0.1], ""),
    ],
)
def test_others_go_with_the_boundary_that_is_left_over(letters: list[float], kept: str) -> None:
    text = "".join("ab "[label] for label in TEXT[_kept(letters)])
    assert text == kept


def test_threshold_is_in_nats() -> None:
    faint = [0.9, 0.9, 0.9, 0.9, 0.9, 0.2]  # log(0.2 / 0.8) = -1.39
    assert sum(_kept(faint, threshold=1.38)) == 4
    assert sum(_kept(faint, threshold=1.40)) == 6


def test_all_frames_of_a_letter_count() -> None:
    log_probs = np.log(np.array([[0.4, 1e-6, 1e-6, 0.6]] * 4))
    one = np.array([A])
    last = np.array([0]), np.array([3])
    short, long = (
        spoken_labels(log_probs, one, np.array([0]), end, BLANK, SPACE, threshold=1.0)
        for end in last
    )
    assert (short.all(), long.all()) == (True, False)
