"""Relative-entropy pruning: drop the n-grams that the back-off predicts nearly as well.

A. Stolcke, "Entropy-based pruning of backoff language models", DARPA Broadcast News Transcription
and Understanding Workshop (1998). How often a context occurs is taken from the counts rather than
from the model, whose lower orders are no marginals after Kneser-Ney smoothing: C. Chelba et al.,
"Study on interaction between entropy pruning and Kneser-Ney smoothing", Interspeech (2010).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from asr_train.ngram.counting import Keys, contexts, last_words, slices, suffixes
from asr_train.ngram.kneser_ney import Floats, NgramModel, Order

_SMALLEST = 1e-12
_STEPS = 26
_NEAR_STEPS = 18
_NEAR = 0.25
_SLICE = 1 << 22


class Pruner:
    """Smaller models of one model, by one threshold on the entropy that each n-gram is worth.

    Besides the context of a kept n-gram, all of it but its first word is kept: the file names an
    n-gram's last word by its last two.
    """

    def __init__(self, model: NgramModel) -> None:
        self._model = model
        self._found: float | None = None
        orders = range(2, model.order + 1)
        self._worths = [np.empty(0), *(entropy_worth(model, order) for order in orders)]
        # Of each n-gram, the indices of the shorter ones that it needs.
        self._contexts = [np.empty(0, np.int32)]
        self._suffixes = [np.empty(0, np.int32)]
        for order in orders:
            keys, below = model.orders[order - 1].keys, model.orders[order - 2].keys
            self._contexts.append(_indices(keys, below, contexts))
            self._suffixes.append(_indices(keys, below, partial(suffixes, order=order)))

    def largest(self, fits: Callable[[list[int], list[int]], bool]) -> NgramModel:
        """The largest model that fits.

        Args:
            fits: says whether a model is small enough, given its numbers of n-grams and how many
                of those are contexts of longer ones, both for orders 1, 2, ….

        Raises:
            ValueError: not even the unigrams fit.
        """
        # Worth nothing or less is never kept, for the model is better without.
        kept, fitting = self._select(0.0, fits)
        if not fitting:
            kept, fitting = self._select(np.inf, fits)
            if not fitting:
                raise ValueError("not even the single words fit")
            low, high, steps = self._bracket(fits)
            for _ in range(steps):
                middle = (low + high) / 2
                candidate, fitting = self._select(float(np.exp(middle)), fits)
                if fitting:
                    kept, high = candidate, middle
                else:
                    low = middle
            self._found = high
        return keep_only(self._model, kept)

    def _bracket(self, fits: Callable[[list[int], list[int]], bool]) -> tuple[float, float, int]:
        """Logarithms of thresholds that are too low and high enough, and the steps in between."""
        if self._found is not None:
            near = self._found - _NEAR, self._found + _NEAR
            if [self._select(float(np.exp(each)), fits)[1] for each in near] == [False, True]:
                return *near, _NEAR_STEPS
        return float(np.log(1e-14)), 0.0, _STEPS

    def is_whole(self, model: NgramModel) -> bool:
        """Whether a model has all n-grams that are worth anything."""
        numbers = [len(level.keys) for level in model.orders]
        return numbers == [int(keep.sum()) for keep in self._select(0.0, lambda *_: True)[0]]

    def _select(
        self, threshold: float, fits: Callable[[list[int], list[int]], bool]
    ) -> tuple[list[npt.NDArray[np.bool_]], bool]:
        orders = self._model.orders
        kept = [np.ones(len(orders[0].keys), bool)]
        kept += [worth > threshold for worth in self._worths[1:]]
        context_numbers = [0] * len(orders)
        for index in range(len(orders) - 1, 0, -1):
            heads = np.zeros(len(orders[index - 1].keys), bool)
            heads[self._contexts[index][kept[index]]] = True
            context_numbers[index - 1] = int(heads.sum())
            kept[index - 1] |= heads
            kept[index - 1][self._suffixes[index][kept[index]]] = True
        return kept, fits([int(keep.sum()) for keep in kept], context_numbers)


def _indices(keys: Keys, shorter: Keys, part: Callable[[Keys], Keys]) -> npt.NDArray[np.int32]:
    """Indices of a part of each n-gram among shorter ones, which have them all."""
    indices = np.empty(len(keys), np.int32)
    for begin in range(0, len(keys), _SLICE):
        piece = slice(begin, begin + _SLICE)
        indices[piece] = np.searchsorted(shorter, part(keys[piece]))
    return indices


def entropy_worth(model: NgramModel, order: int) -> Floats:
    """Relative entropy (nats per word) that dropping each n-gram of one order costs [ngrams]."""
    level, below = model.orders[order - 1], model.orders[order - 2]
    worth = np.empty(len(level.keys))
    for piece in slices(level.keys, _SLICE):
        keys, p = level.keys[piece], level.probability[piece]
        before = contexts(keys)
        begins = np.ones(len(keys), bool)
        np.not_equal(before[1:], before[:-1], out=begins[1:])
        group = begins.cumsum() - 1
        lower = below.probability[np.searchsorted(below.keys, suffixes(keys, order))]
        numerator = np.maximum(1 - np.bincount(group, p), _SMALLEST)[group]
        denominator = np.maximum(1 - np.bincount(group, lower), _SMALLEST)[group]
        backoff = numerator / denominator
        new_backoff = (numerator + p) / (denominator + lower)
        change = np.log(new_backoff / backoff)
        loss = p * (np.log(lower) + np.log(new_backoff) - np.log(p)) + change * numerator
        parent = np.searchsorted(below.keys, before[begins])
        worth[piece] = -below.context_probability[parent][group] * loss
    return worth


def set_context_probabilities(model: NgramModel) -> None:
    """Set how often each context occurs in a model without counts, as the model itself has it."""
    known = model.orders[0].probability
    for order in range(1, model.order):
        level = model.orders[order - 1]
        if order > 1:
            before = model.orders[order - 2]
            parent = np.searchsorted(before.keys, contexts(level.keys))
            known = level.probability * before.context_probability[parent]
        level.context_probability = known


def keep_only(model: NgramModel, kept: list[npt.NDArray[np.bool_]]) -> NgramModel:
    """The model with some n-grams of each order, and back-off weights that fit them.

    Args:
        model: all n-grams.
        kept: bool [ngrams] for each order; contexts of kept n-grams must be among them, and all
            single words.
    """
    orders = [
        Order(
            level.keys[keep],
            level.probability[keep],
            np.ones(int(keep.sum())),
            level.context_probability[keep],
        )
        for level, keep in zip(model.orders, kept, strict=True)
    ]
    pruned = NgramModel(orders)
    set_backoffs(pruned)
    return pruned


def set_backoffs(model: NgramModel) -> None:
    """Set the back-off weights so that the probabilities after every context sum to one."""
    for order in range(2, model.order + 1):
        sums = _sums_after(model, order)
        numerator = np.maximum(1 - sums.stored, _SMALLEST)
        denominator = np.maximum(1 - sums.backed_off, _SMALLEST)
        backoff = np.where(sums.has_children, numerator / denominator, 1.0)
        model.orders[order - 2].backoff = backoff


def normalise(model: NgramModel) -> None:
    """Scale rounded probabilities so that those after every context sum to one again.

    Of a frequent context the stored ones may sum to more than one, and would leave nothing to all
    other words. What a context's back-off weight leaves to those keeps its ratio to what the stored
    ones have.
    """
    model.orders[0].probability = model.orders[0].probability / model.orders[0].probability.sum()
    for order in range(2, model.order + 1):
        level, below = model.orders[order - 1], model.orders[order - 2]
        sums = _sums_after(model, order)
        rest = np.maximum(1 - sums.backed_off, _SMALLEST)
        total = np.where(sums.has_children, sums.stored + below.backoff * rest, 1.0)
        below.backoff = below.backoff / total
        for piece in slices(level.keys, _SLICE):
            context = np.searchsorted(below.keys, contexts(level.keys[piece]))
            level.probability[piece] /= total[context]


@dataclass(frozen=True)
class _Sums:
    """Sums over the words that are stored after each n-gram as a context [ngrams].

    Attributes:
        stored: Of their probabilities.
        backed_off: Of what they have after the context without its first word.
        has_children: Whether there are any.
    """

    stored: Floats
    backed_off: Floats
    has_children: npt.NDArray[np.bool_]


def _sums_after(model: NgramModel, order: int) -> _Sums:
    """Add up the n-grams of an order by their contexts."""
    from asr_train.ngram.kneser_ney import log_probabilities

    level, below = model.orders[order - 1], model.orders[order - 2]
    number = len(below.keys)
    sums = _Sums(np.zeros(number), np.zeros(number), np.zeros(number, bool))
    for piece in slices(level.keys, _SLICE):
        keys = level.keys[piece]
        before = contexts(keys)
        begins = np.ones(len(keys), bool)
        np.not_equal(before[1:], before[:-1], out=begins[1:])
        group = begins.cumsum() - 1
        words = _columns(suffixes(keys, order), order - 1)
        expected = np.exp(log_probabilities(model, words, order - 1))
        parent = np.searchsorted(below.keys, before[begins])
        sums.stored[parent] = np.bincount(group, level.probability[piece])
        sums.backed_off[parent] = np.bincount(group, expected)
        sums.has_children[parent] = True
    return sums


def _columns(keys: Keys, order: int) -> npt.NDArray[np.int64]:
    return np.stack(
        [last_words(keys >> np.uint64(16 * position)) for position in range(order - 1, -1, -1)],
        axis=1,
    )
