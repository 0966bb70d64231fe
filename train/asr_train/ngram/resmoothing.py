"""Smoothing once more when it is known which n-grams stay.

Kneser-Ney smoothing makes lower orders for what the higher ones leave to them: a word after many
different words counts more than one after few. Where pruning takes most of the higher orders away
that is wrong, for now the lower orders stand for all that an n-gram occurred. So an n-gram that
stays counts once among the shorter ones, and one that goes counts as often as it occurred (after V.
Siivola, T. Hirsimäki, S. Virpioja, "On growing and pruning Kneser-Ney smoothed n-gram models", IEEE
Transactions on Audio, Speech, and Language Processing 15 (2007)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import BOUNDARY
from asr_train.ngram.counting import Counts, Keys, contexts, first_words, last_words, suffixes
from asr_train.ngram.kneser_ney import (
    NgramModel,
    Order,
    count_discounts,
    find,
    log_probabilities,
    smooth_unigrams,
)

_SLICE = 1 << 22


def smooth_again(counted: Sequence[Counts], kept: Sequence[Keys], size: int) -> NgramModel:
    """A model of the n-grams that stay, with back-off weights.

    Args:
        counted: all n-grams of the text for each order, as ``estimate`` takes them.
        kept: uint64 [ngrams] for each order, those that stay, sorted, their contexts among them.
            Those that the text does not have are left out.
        size: number of ids of the vocabulary.
    """
    order = len(counted)
    there = [kept[0]]
    places: list[npt.NDArray[Any]] = [np.zeros(0, np.int64)]
    for keys, level in zip(kept[1:], counted[1:], strict=True):
        found, place = find(level.keys, keys)
        there.append(keys[found])
        places.append(place[found])
    # What each n-gram of the text counts, from the longest on.
    counts: list[npt.NDArray[Any]] = [counted[-1].counts]
    for shorter in range(order - 1, 0, -1):
        longer = shorter + 1
        below, above = counted[shorter - 1], counted[longer - 1]
        if longer == order and shorter > 1:
            # It occurs as often as what it ends, but at a sentence's beginning.
            mass = below.counts.astype(np.float64)
        else:
            mass = np.zeros(len(below.keys))
            for begin in range(0, len(above.keys), _SLICE):
                piece = slice(begin, begin + _SLICE)
                place = np.searchsorted(below.keys, suffixes(above.keys[piece], longer))
                mass += np.bincount(place, counts[0][piece], len(mass))
        place = np.searchsorted(below.keys, suffixes(there[longer - 1], longer))
        stay = counts[0][places[longer - 1]].astype(np.float64)
        mass -= np.bincount(place, stay - 1, len(mass))
        if shorter > 1:
            begins = (first_words(below.keys, shorter) == BOUNDARY).nonzero()[0]
            mass[begins] = below.counts[begins]
        counts.insert(0, np.rint(mass).astype(np.int64))
    discount = count_discounts(counts[0])[np.minimum(counts[0], 3)]
    model = NgramModel([smooth_unigrams(counted[0].keys, counts[0], discount, size)])
    for number in range(2, order + 1):
        model.orders.append(
            _longer(model, counted, counts[number - 1], there[number - 1], places[number - 1])
        )
    return model


def _longer(
    model: NgramModel,
    counted: Sequence[Counts],
    counts: npt.NDArray[Any],
    keys: Keys,
    place: npt.NDArray[Any],
) -> Order:
    """The next order; sets the back-off weights of the one below."""
    order = len(model.orders) + 1
    below = model.orders[-1]
    total = np.zeros(len(below.keys))
    everything = counted[order - 1].keys
    if order == len(counted) and order > 2:
        # A context occurs as often as it is followed by a word.
        total[:] = counted[order - 2].counts[np.searchsorted(counted[order - 2].keys, below.keys)]
    else:
        for begin in range(0, len(everything), _SLICE):
            piece = slice(begin, begin + _SLICE)
            found, parent = find(below.keys, contexts(everything[piece]))
            total += np.bincount(parent[found], counts[piece][found], len(total))
    stay = counts[place]
    rest = stay - count_discounts(counts)[np.minimum(stay, 3)]
    parent = np.searchsorted(below.keys, contexts(keys))
    taken = np.bincount(parent, rest, len(total))
    with np.errstate(invalid="ignore", divide="ignore"):
        below.backoff = np.where(taken > 0, 1 - taken / total, 1.0)
    probability = rest / total[parent]
    for begin in range(0, len(keys), _SLICE):
        piece = slice(begin, begin + _SLICE)
        shorter = suffixes(keys[piece], order)
        rows = np.stack(
            [last_words(shorter >> np.uint64(16 * n)) for n in range(order - 2, -1, -1)], axis=1
        )
        lower = np.exp(log_probabilities(model, rows, order - 1))
        probability[piece] += below.backoff[parent[piece]] * lower
    return Order(keys, probability, np.ones(len(keys)), np.zeros(len(keys)))
