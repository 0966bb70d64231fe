"""N-grams of graphones as a trie: counts, Kneser-Ney smoothing, pruning.

The word n-grams of `asr_train.ngram` hold up to 4 words in one number; these are of up to 9 symbols
of a small alphabet, so each n-gram is known by the place of its context and its last symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BOUNDARY = 0
"""Symbol before and after a word; graphone i has symbol i + 1."""

_SMALLEST = 1e-12


@dataclass
class Level:
    """The n-grams of one length, sorted by context and symbol, [ngrams] each.

    Attributes:
        context: place of the n-gram without its last symbol, one level lower.
        symbol: the last symbol.
        suffix: place of the n-gram without its first symbol, one level lower.
        count: occurrences.
        probability: of the last symbol after the others.
        backoff: weight of the next lower level after this n-gram as a context.
    """

    context: Ints
    symbol: Ints
    suffix: Ints
    count: Ints
    probability: Floats
    backoff: Floats


def count_ngrams(sequences: Sequence[Ints], order: int) -> list[Level]:
    """Distinct n-grams of lengths 1 to ``order`` in words, each between two boundaries."""
    parts: list[Ints] = []
    for sequence in sequences:
        parts += [np.array([BOUNDARY]), sequence + 1]
    text = np.concatenate([*parts, [BOUNDARY]])
    # A word's end is the next one's beginning; no n-gram goes on past it.
    ends = np.flatnonzero(text == BOUNDARY)
    following = np.searchsorted(ends, np.arange(len(text)), side="right")
    word_end = np.append(ends, 0)[following]
    size = int(text.max()) + 1
    levels: list[Level] = []
    # Of the n-gram that begins at each place, its own place among those of its length.
    node = np.zeros(len(text) + 1, np.int64)
    alive = np.arange(len(text))
    for length in range(1, order + 1):
        if length > 1:
            alive = alive[alive + length - 1 <= word_end[alive]]
            if not len(alive):
                break
        keys = node[alive] * size + text[alive + length - 1]
        found, first, inverse, count = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        suffix = node[alive[first] + 1]
        node = np.zeros(len(text) + 1, np.int64)
        node[alive] = inverse
        levels.append(
            Level(
                found // size,
                found % size,
                suffix,
                count,
                np.zeros(len(found)),
                np.ones(len(found)),
            )
        )
    return levels


def smooth(levels: list[Level]) -> None:
    """Set probabilities and back-off weights by interpolated modified Kneser-Ney smoothing.

    S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
    Computer Speech & Language 13 (1999).
    """
    for number, level in enumerate(levels):
        counts = level.count
        if number + 1 < len(levels):
            longer = levels[number + 1]
            before = np.bincount(longer.suffix, minlength=len(counts))
            begins = _first_symbols(levels, number) == BOUNDARY
            counts = np.where(begins, counts, before) if number else np.maximum(before, begins)
        discount = _discounts(counts)[np.minimum(counts, 3)]
        if number == 0:
            total = counts.sum()
            level.probability = (counts - discount) / total + discount.sum() / total / len(counts)
            continue
        below = levels[number - 1]
        total = np.bincount(level.context, counts, len(below.count))
        left = np.bincount(level.context, discount, len(below.count))
        with np.errstate(invalid="ignore", divide="ignore"):
            below.backoff = np.where(total > 0, left / total, 1.0)
        level.probability = (counts - discount) / total[level.context]
        level.probability += below.backoff[level.context] * below.probability[level.suffix]


def _first_symbols(levels: list[Level], number: int) -> Ints:
    first = levels[0].symbol
    for level in levels[1 : number + 1]:
        first = first[level.context]
    return first


def _discounts(counts: Ints) -> Floats:
    n1, n2, n3, n4 = (int((counts == number).sum()) for number in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array([0.0, 0.5, 0.75, 0.9])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    bounded: Floats = np.clip(found, [0.0, 0.1, 0.1, 0.1], [0.0, 0.99, 1.9, 2.9])
    return bounded


def prune(levels: list[Level], most: int) -> list[Level]:
    """The ``most`` n-grams that are worth most, their contexts and suffixes among them.

    The worth is the relative entropy that dropping one costs: A. Stolcke, "Entropy-based pruning of
    backoff language models", DARPA Broadcast News Transcription and Understanding Workshop (1998).
    """
    worths = [_worth(levels, number) for number in range(len(levels))]
    low, high = np.log(1e-16), 0.0
    kept = _select(levels, worths, np.inf)
    for _ in range(30):
        middle = (low + high) / 2
        candidate = _select(levels, worths, float(np.exp(middle)))
        if sum(int(keep.sum()) for keep in candidate) <= most:
            kept, high = candidate, middle
        else:
            low = middle
    return _keep(levels, kept)


def _worth(levels: list[Level], number: int) -> Floats:
    level = levels[number]
    if number == 0:
        return np.full(len(level.count), np.inf)
    below = levels[number - 1]
    size = len(below.count)
    lower, p = below.probability[level.suffix], level.probability
    numerator = np.maximum(1 - np.bincount(level.context, p, size), _SMALLEST)[level.context]
    denominator = np.maximum(1 - np.bincount(level.context, lower, size), _SMALLEST)[level.context]
    backoff = numerator / denominator
    new_backoff = (numerator + p) / (denominator + lower)
    loss = p * (np.log(lower) + np.log(new_backoff) - np.log(p))
    loss += np.log(new_backoff / backoff) * numerator
    occurrences = np.bincount(level.context, level.count, size)
    worth: Floats = -(occurrences / levels[0].count.sum())[level.context] * loss
    return worth


def _select(
    levels: list[Level], worths: list[Floats], threshold: float
) -> list[npt.NDArray[np.bool_]]:
    kept = [worth > threshold for worth in worths]
    kept[0][:] = True
    for number in range(len(levels) - 1, 0, -1):
        chosen = levels[number]
        kept[number - 1][chosen.context[kept[number]]] = True
        kept[number - 1][chosen.suffix[kept[number]]] = True
    return kept


def _keep(levels: list[Level], kept: list[npt.NDArray[np.bool_]]) -> list[Level]:
    pruned: list[Level] = []
    place = np.zeros(0, np.int64)
    for level, keep in zip(levels, kept, strict=True):
        context, suffix = level.context[keep], level.suffix[keep]
        if pruned:
            context, suffix = place[context], place[suffix]
        pruned.append(
            Level(
                context,
                level.symbol[keep],
                suffix,
                level.count[keep],
                level.probability[keep],
                np.ones(int(keep.sum())),
            )
        )
        place = np.cumsum(keep) - 1
    set_backoffs(pruned)
    return pruned


def set_backoffs(levels: list[Level]) -> None:
    """Set the back-off weights so that the probabilities after every context sum to one."""
    for below, level in pairwise(levels):
        size = len(below.count)
        lower = below.probability[level.suffix]
        left = np.maximum(1 - np.bincount(level.context, level.probability, size), _SMALLEST)
        lower_left = np.maximum(1 - np.bincount(level.context, lower, size), _SMALLEST)
        below.backoff = np.where(
            np.bincount(level.context, minlength=size) > 0, left / lower_left, 1
        )
