"""How well a model predicts text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr_runtime.language.language_model import BOUNDARY, UNKNOWN
from asr_train.ngram.kneser_ney import Floats, NgramModel, log_probabilities
from asr_train.ngram.vocabulary import Ids

_SLICE = 1 << 22


@dataclass(frozen=True)
class Perplexity:
    """How well a model predicts a text.

    Attributes:
        perplexity: over known words and sentence ends, after contexts that may hold unknown words.
        unknown: share of the words that are outside the vocabulary, 0 to 1.
        words: number of words and sentence ends.
    """

    perplexity: float
    unknown: float
    words: int


def perplexity(model: NgramModel, ids: Ids) -> Perplexity:
    """Score encoded sentences [words], as ``Vocabulary.encode`` gives them."""
    logs = text_log_probabilities(model, ids)
    words = int((ids != BOUNDARY).sum())
    return Perplexity(
        float(np.exp(-logs.sum() / max(len(logs), 1))),
        float((ids == UNKNOWN).sum() / max(words, 1)),
        words,
    )


def text_log_probabilities(model: NgramModel, ids: Ids) -> Floats:
    """Natural-log probability of every known word and sentence end of a text [words].

    Those with a short context come first, so the order is the same for models of one order.
    """
    wide = ids.astype(np.int64)
    begins = np.flatnonzero(wide[:-1] == BOUNDARY)
    since = (
        np.arange(1, len(wide))
        - begins[np.searchsorted(begins, np.arange(len(wide) - 1), "right") - 1]
    )
    logs = []
    for order in range(2, model.order + 1):
        # Context reaches back to the sentence's start and no further.
        last = (
            np.flatnonzero((since >= order - 1) if order == model.order else since == order - 1) + 1
        )
        last = last[wide[last] != UNKNOWN]
        for begin in range(0, len(last), _SLICE):
            piece = last[begin : begin + _SLICE]
            rows = np.stack([wide[piece - back] for back in range(order - 1, -1, -1)], axis=1)
            logs.append(log_probabilities(model, rows, order))
    return np.concatenate(logs)
