"""Which words of a found text were spoken at all, and were not only put there by the search."""

from typing import Any

import numpy as np
import numpy.typing as npt


def spoken(
    log_probs: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    blank_id: int,
    boundary_id: int,
    threshold: float,
) -> npt.NDArray[np.bool_]:
    """Labels of the words that silence does not explain better, with one boundary between words.

    The search prefers letters to blanks, for the language model prefers short texts; over music or
    a hum, where every frame holds a little of every letter, that finds words where the model heard
    none. Such a word's letters are less probable, together, than blanks in their place.

    log_probs: natural logarithms, finite [frames, classes].
    labels: of the text, without blanks, single boundaries between words [labels].
    first, last: the frames of each label [labels].
    threshold: nats by which blanks must be the more probable for a word to be dropped.
    """
    gain = gains_over_blank(log_probs, labels, first, last, blank_id)
    boundary = labels == boundary_id
    # A boundary belongs to the word that it begins.
    word = np.cumsum(boundary)
    of_word = np.bincount(word, np.where(boundary, 0.0, gain))
    kept = of_word >= -threshold
    earlier = np.concatenate(([False], np.logical_or.accumulate(kept)[:-1]))
    result: npt.NDArray[np.bool_] = kept[word] & (~boundary | earlier[word])
    return result


def gains_over_blank(
    log_probs: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    blank_id: int,
) -> npt.NDArray[np.float64]:
    """Nats by which each label is more probable in its frames than blanks; see `spoken`."""
    over_blank = log_probs.astype(np.float64) - log_probs[:, [blank_id]]
    before = np.concatenate((np.zeros((1, over_blank.shape[1])), over_blank.cumsum(axis=0)))
    gains: npt.NDArray[np.float64] = before[last + 1, labels] - before[first, labels]
    return gains
