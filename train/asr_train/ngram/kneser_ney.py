"""Interpolated modified Kneser-Ney smoothing.

S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
Computer Speech & Language 13 (1999): the highest order has the counts of the text; lower orders
count distinct predecessors, but for what begins a sentence, which has none. Three discounts an
order are estimated from its counts of counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import BOUNDARY
from asr_train.ngram.counting import (
    Counts,
    Keys,
    contexts,
    count_predecessors,
    first_words,
    slices,
    suffixes,
)

Floats = npt.NDArray[np.float64]

_SLICE = 1 << 22
"""N-grams that are smoothed at a time."""


@dataclass
class Order:
    """The n-grams of one order, sorted by key, [ngrams] each.

    Attributes:
        keys: uint64, 16 bits per word.
        probability: probability of the last word after the others, all orders below interpolated.
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


def estimate(
    counted: list[Counts],
    vocabulary_size: int,
    cut_offs: Sequence[int] = (),
    progress: Callable[[int], object] | None = None,
) -> NgramModel:
    """Smooth the counts of orders 1, 2, … n of one text.

    Args:
        counted: counts of each order.
        vocabulary_size: number of ids, the special ones included. Each gets a probability, seen or
            not.
        cut_offs: how often n-grams of order 2, 3, … must occur to be in the model, none less often
            than those of the order below; 1 for orders that are not given. What the others had
            goes to the shorter n-grams. They count in all statistics.
        progress: called with the number of n-grams of each order when it is done.
    """
    orders: list[Order] = []
    for number, raw in enumerate(counted, start=1):
        counts = _kneser_ney_counts(counted, number)
        if number == 1:
            discount = count_discounts(counts)[np.minimum(counts, 3)]
            orders.append(smooth_unigrams(raw.keys, counts, discount, vocabulary_size))
        else:
            cut_off = cut_offs[number - 2] if len(cut_offs) > number - 2 else 1
            orders.append(_longer(raw, counts, number, orders[-1], cut_off))
        if progress is not None:
            progress(len(raw.keys))
    return NgramModel(orders)


def _longer(raw: Counts, counts: npt.NDArray[Any], order: int, below: Order, cut_off: int) -> Order:
    """N-grams of order 2 or more; sets the back-off weights of the order below."""
    discounts = count_discounts(counts)
    total, left, occurrences = (np.zeros(len(below.keys)) for _ in range(3))
    number = sum(
        int(np.count_nonzero(raw.counts[begin : begin + _SLICE] >= cut_off))
        for begin in range(0, len(raw.counts), _SLICE)
    )
    keys, probability = np.empty(number, np.uint64), np.empty(number)
    end = 0
    for piece in slices(raw.keys, _SLICE):
        found, count, occurred = raw.keys[piece], counts[piece], raw.counts[piece]
        kept = occurred >= cut_off
        discount = np.where(kept, discounts[np.minimum(count, 3)], count)
        begins = np.ones(len(found), bool)
        before = contexts(found)
        np.not_equal(before[1:], before[:-1], out=begins[1:])
        first = begins.nonzero()[0]
        # Contexts that were left out have no n-grams that are kept.
        there, parent = find(below.keys, before[first])
        parent = parent[there]
        group = begins.cumsum() - 1
        for sums, values in ((total, count), (left, discount), (occurrences, occurred)):
            sums[parent] = np.bincount(group, values, len(first))[there]
        begin, end = end, end + int(np.count_nonzero(kept))
        keys[begin:end] = found[kept]
        probability[begin:end] = (count - discount)[kept]
    with np.errstate(invalid="ignore", divide="ignore"):
        below.backoff = np.where(total > 0, left / total, 1.0)
    del left
    below.context_probability = occurrences
    below.context_probability /= raw.counts.sum(dtype=np.int64)
    del occurrences
    for begin in range(0, number, _SLICE):
        piece = slice(begin, begin + _SLICE)
        parent = np.searchsorted(below.keys, contexts(keys[piece]))
        suffix = np.searchsorted(below.keys, suffixes(keys[piece], order))
        probability[piece] /= total[parent]
        probability[piece] += below.backoff[parent] * below.probability[suffix]
    # These take no memory; a longer order brings others.
    backoff: Floats = np.broadcast_to(np.ones(1), number)
    return Order(keys, probability, backoff, np.broadcast_to(np.zeros(1), number))


def smooth_unigrams(
    keys: Keys, counts: npt.NDArray[Any], discount: Floats, vocabulary_size: int
) -> Order:
    """Single words, keys and counts [words]; what the discounts leave is shared by all ids."""
    total = counts.sum()
    probability = np.full(vocabulary_size, discount.sum() / total / vocabulary_size)
    probability[keys.astype(np.int64)] += (counts - discount) / total
    everything = np.arange(vocabulary_size, dtype=np.uint64)
    return Order(everything, probability, np.ones(vocabulary_size), np.zeros(vocabulary_size))


def _kneser_ney_counts(counted: list[Counts], order: int) -> npt.NDArray[Any]:
    raw = counted[order - 1]
    if order == len(counted):
        return raw.counts
    # A sentence's end is no context, so what it would precede is not among the longer n-grams.
    predecessors = count_predecessors(raw, counted[order], order)
    if order == 1:
        return predecessors
    begins = (first_words(raw.keys, order) == BOUNDARY).nonzero()[0]
    predecessors[begins] = raw.counts[begins]
    return predecessors


def count_discounts(counts: npt.NDArray[Any]) -> Floats:
    """Discounts [4] of n-grams that occur 0, 1, 2 and 3 times or more."""
    number = np.zeros(6, np.int64)
    for begin in range(0, len(counts), _SLICE):
        number += np.bincount(np.minimum(counts[begin : begin + _SLICE], 5), minlength=6)
    n1, n2, n3, n4 = number[1:5].tolist()
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
    found, index = find(level.keys, keys)
    below = model.orders[order - 2]
    has_context, context = find(below.keys, contexts(keys))
    if len(below.keys):
        result += np.where(has_context, np.log(below.backoff[context]), 0.0)
    result[found] = np.log(level.probability[index[found]])
    return result


def find(sorted_keys: Keys, keys: Keys) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Which of ``keys`` are among sorted ones, bool [ngrams], and the indices of those that are."""
    if not len(sorted_keys):
        return np.zeros(len(keys), bool), np.zeros(len(keys), np.int64)
    index = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return sorted_keys[index] == keys, index
