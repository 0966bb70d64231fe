"""One model of several: a weighted mean of their probabilities.

The mixture gets an explicit probability for every n-gram of any of the models (A. Stolcke, "SRILM -
an extensible language modeling toolkit", ICSLP 2002, static interpolation). The weights are those
under which a text of the kind that the model is for is most probable, found by expectation
maximisation (F. Jelinek, R. Mercer, "Interpolated estimation of Markov source parameters from
sparse data", 1980).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asr_train.ngram.counting import Keys, contexts, suffixes
from asr_train.ngram.kneser_ney import Floats, NgramModel, Order, find
from asr_train.ngram.perplexity import text_log_probabilities
from asr_train.ngram.pruning import set_backoffs
from asr_train.ngram.vocabulary import Ids

_SLICE = 1 << 22
_ROUNDS = 200


def choose_weights(models: Sequence[NgramModel], ids: Ids) -> list[float]:
    """Weights, which sum to one, with which a mixture of models likes a text [words] best."""
    logs = np.stack([text_log_probabilities(model, ids) for model in models])
    probabilities = np.exp(logs)
    weights = np.full(len(models), 1 / len(models))
    for _ in range(_ROUNDS):
        shares = weights[:, None] * probabilities
        shares /= shares.sum(axis=0)
        before, weights = weights, shares.mean(axis=1)
        if np.abs(weights - before).max() < 1e-6:
            break
    found: list[float] = weights.tolist()
    return found


def mix(models: Sequence[NgramModel], weights: Sequence[float]) -> NgramModel:
    """The weighted mean of models of one vocabulary and order.

    Each must have the suffixes of all its n-grams, as `estimate` makes them.
    """
    if len(models) == 1:
        return models[0]
    orders: list[Order] = []
    # Of each model, the probabilities of all n-grams of the order below.
    shorter: list[Floats] = []
    for order in range(1, models[0].order + 1):
        levels = [model.orders[order - 1] for model in models]
        keys = _union([level.keys for level in levels])
        known = [
            _probabilities(model, order, keys, orders[-1].keys, lower)
            if order > 1
            else model.orders[0].probability
            for model, lower in zip(models, shorter or [np.zeros(0)] * len(models), strict=True)
        ]
        mixed = sum(w * p for w, p in zip(weights, known, strict=True))
        shared = np.zeros(len(keys))
        if order < models[0].order:
            for weight, level in zip(weights, levels, strict=True):
                shared[np.searchsorted(keys, level.keys)] += weight * level.context_probability
        orders.append(Order(keys, np.asarray(mixed), np.ones(len(keys)), shared))
        shorter = known
    del shorter, known
    model = NgramModel(orders)
    set_backoffs(model)
    return model


def _union(keys: list[Keys]) -> Keys:
    joined: npt.NDArray[np.uint64] = np.concatenate(keys)
    joined.sort()
    new = np.ones(len(joined), bool)
    np.not_equal(joined[1:], joined[:-1], out=new[1:])
    return joined[new]


def _probabilities(model: NgramModel, order: int, keys: Keys, below: Keys, lower: Floats) -> Floats:
    """What one model gives each n-gram, stored or not [ngrams].

    below, lower: the n-grams of the order below, and what the model gives those.
    """
    level, heads = model.orders[order - 1], model.orders[order - 2]
    result = np.empty(len(keys))
    for begin in range(0, len(keys), _SLICE):
        piece = slice(begin, begin + _SLICE)
        found, index = find(level.keys, keys[piece])
        there, context = find(heads.keys, contexts(keys[piece]))
        result[piece] = lower[np.searchsorted(below, suffixes(keys[piece], order))]
        result[piece] *= np.where(there, heads.backoff[context], 1.0)
        result[piece][found] = level.probability[index[found]]
    return result
