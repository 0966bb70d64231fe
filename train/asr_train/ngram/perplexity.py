"""How well a model predicts text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr_train.ngram.counting import BOUNDARY, UNKNOWN, Ids
from asr_train.ngram.kneser_ney import NgramModel, log_probabilities


@dataclass(frozen=True)
class Perplexity:
    """Of known words and sentence ends, after contexts that may hold unknown words.

    unknown: share of the words that are outside the vocabulary.
    """

    perplexity: float
    unknown: float
    words: int


def perplexity(model: NgramModel, ids: Ids) -> Perplexity:
    """Score encoded sentences (see `Vocabulary.encode`)."""
    wide = ids.astype(np.int64)
    total, number = 0.0, 0
    begins = np.flatnonzero(wide[:-1] == BOUNDARY)
    since = (
        np.arange(1, len(wide))
        - begins[np.searchsorted(begins, np.arange(len(wide) - 1), "right") - 1]
    )
    for order in range(2, model.order + 1):
        # Context reaches back to the sentence's start and no further.
        last = (
            np.flatnonzero((since >= order - 1) if order == model.order else since == order - 1) + 1
        )
        rows = np.stack([wide[last - back] for back in range(order - 1, -1, -1)], axis=1)
        rows = rows[rows[:, -1] != UNKNOWN]
        total -= float(log_probabilities(model, rows, order).sum())
        number += len(rows)
    words = int((wide != BOUNDARY).sum())
    return Perplexity(
        float(np.exp(total / max(number, 1))), float((wide == UNKNOWN).sum() / max(words, 1)), words
    )
