"""Interpolated modified Kneser-Ney smoothing.

S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
Computer Speech & Language 13 (1999): the highest order has the counts of the text; lower orders
count distinct predecessors, but for what begins a sentence, which has none. Three discounts an
order are estimated from its counts of counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_train.ngram.counting import (
    BOUNDARY,
    Counts,
    Keys,
    contexts,
    first_words,
    suffixes,
)

Floats = npt.NDArray[np.float64]


@dataclass
class Order:
    """The n-grams of one order, sorted by key, [ngrams] each.

    probability: of the last word after the others, all orders below interpolated in.
    backoff: weight of the next lower order after this n-gram as a context; 1 where it is none.
    context_probability: share of the text's words that this n-gram, as a context, precedes.
    """

    keys: Keys
    probability: Floats
    backoff: Floats
    context_probability: Floats


@dataclass
class NgramModel:
    """Orders 1, 2, …; those of order 1 are all ids in order. `text` holds 1 probability a word.

    The probability of a word after a context that is not stored is that after the context without
    its first word, times the context's back-off weight if that is stored.
    """

    orders: list[Order]

    @property
    def order(self) -> int:
        """Words of the longest n-grams."""
        return len(self.orders)


def estimate(counted: list[Counts], vocabulary_size: int) -> NgramModel:
    """Smooth the counts of orders 1, 2, … n of one text.

    vocabulary_size: number of ids, the special ones included. Each gets a probability, seen or not.
    """
    orders: list[Order] = []
    for number, raw in enumerate(counted, start=1):
        counts = _kneser_ney_counts(counted, number)
        discount = _discounts(counts)[np.minimum(counts, 3)]
        if number == 1:
            orders.append(_unigrams(raw.keys, counts, discount, vocabulary_size))
            continue
        below = orders[-1]
        parent, suffix = _links(raw.keys, number, below)
        total = np.bincount(parent, counts, len(below.keys))
        left = np.bincount(parent, discount, len(below.keys))
        with np.errstate(invalid="ignore", divide="ignore"):
            below.backoff = np.where(total > 0, left / total, 1.0)
        probability: Floats = (counts - discount) / total[parent]
        probability += below.backoff[parent] * below.probability[suffix]
        occurrences: Floats = np.bincount(parent, raw.counts, len(below.keys)).astype(np.float64)
        below.context_probability = occurrences / raw.counts.sum()
        ones, zeros = np.ones(len(raw.keys)), np.zeros(len(raw.keys))
        orders.append(Order(raw.keys, probability, ones, zeros))
    return NgramModel(orders)


def _unigrams(
    keys: Keys, counts: npt.NDArray[np.int64], discount: Floats, vocabulary_size: int
) -> Order:
    total = counts.sum()
    probability = np.full(vocabulary_size, discount.sum() / total / vocabulary_size)
    probability[keys.astype(np.int64)] += (counts - discount) / total
    everything = np.arange(vocabulary_size, dtype=np.uint64)
    return Order(everything, probability, np.ones(vocabulary_size), np.zeros(vocabulary_size))


def _links(
    keys: Keys, order: int, below: Order
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of each n-gram's context and of its suffix among the next shorter n-grams."""
    return (
        np.searchsorted(below.keys, contexts(keys)),
        np.searchsorted(below.keys, suffixes(keys, order)),
    )


def _kneser_ney_counts(counted: list[Counts], order: int) -> npt.NDArray[np.int64]:
    raw = counted[order - 1]
    if order == len(counted):
        return raw.counts
    longer = counted[order].keys
    index = np.searchsorted(raw.keys, suffixes(longer, order + 1))
    # A sentence's end is no context, so what it would precede is not among the longer n-grams.
    predecessors = np.bincount(index, minlength=len(raw.keys))
    if order == 1:
        return predecessors
    begins = first_words(raw.keys, order) == BOUNDARY
    return np.where(begins, raw.counts, predecessors)


def _discounts(counts: npt.NDArray[np.int64]) -> Floats:
    """Discounts [4] of n-grams that occur 0, 1, 2 and 3 times or more."""
    n1, n2, n3, n4 = (int((counts == number).sum()) for number in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        # Too little text for the estimate; any discounts keep the probabilities proper.
        return np.array([0.0, 0.5, 0.75, 0.9])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    bounded: Floats = np.clip(found, [0.0, 0.1, 0.1, 0.1], [0.0, 0.99, 1.9, 2.9])
    return bounded


def log_probabilities(model: NgramModel, ids: npt.NDArray[np.int64], order: int) -> Floats:
    """Natural-log probability of the last of each row's words [rows, order] after the others."""
    level = model.orders[order - 1]
    if order == 1:
        return np.log(level.probability[ids[:, 0]])
    keys = np.zeros(len(ids), np.uint64)
    for column in ids.T:
        keys = (keys << np.uint64(16)) | column.astype(np.uint64)
    result = log_probabilities(model, ids[:, 1:], order - 1)
    found, index = _find(level.keys, keys)
    below = model.orders[order - 2]
    has_context, context = _find(below.keys, contexts(keys))
    result += np.where(has_context, np.log(below.backoff[context]), 0.0)
    result[found] = np.log(level.probability[index[found]])
    return result


def _find(sorted_keys: Keys, keys: Keys) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    if not len(sorted_keys):
        return np.zeros(len(keys), bool), np.zeros(len(keys), np.int64)
    index = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return sorted_keys[index] == keys, index
