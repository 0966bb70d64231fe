"""How much more probable than no sign a sign has to be, and a capital letter than none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from asr_runtime.readable_text.annotation import Case, Sign
from asr_train.punctuation.encoding import EncodedText
from asr_train.punctuation.network import PunctuationNetwork
from asr_train.punctuation.training import sentence_rows

_ROWS = 1000
"""Rows of text that the penalties are chosen on. Each was seen a few times at most, so hardly
learned."""

_PENALTIES = np.arange(0.0, 1.6, 0.1)


class Penalties(NamedTuple):
    """Nats that a frequent class is less probable than the model says.

    The most probable class leaves out two signs for each that it puts in wrongly, because most
    words have none.

    Attributes:
        none: Of no sign.
        lower: Of lower case.
    """

    none: float
    lower: float


class _Predicted(NamedTuple):
    """What a network says about words, and what is true; arrays of shape [words] and [words, n]."""

    signs: npt.NDArray[np.float32]
    cases: npt.NDArray[np.float32]
    true_signs: npt.NDArray[np.uint8]
    true_cases: npt.NDArray[np.uint8]


def choose_penalties(network: PunctuationNetwork, text: EncodedText, seed: int = 1) -> Penalties:
    """Choose what gives the best mean F1 of comma and full stop, then the best of capital letters.

    Args:
        network: A trained network.
        text: What it was trained on.
        seed: Of the choice of rows.

    Returns:
        The penalties.
    """
    found = _predicted(network, text, seed)
    if not len(found.true_signs):
        return Penalties(0.0, 0.0)
    scores: list[float] = []
    for penalty in _PENALTIES:
        chosen = _chosen(found.signs, Sign.NONE, penalty)
        each = [_f1(chosen == s, found.true_signs == s) for s in (Sign.COMMA, Sign.FULL_STOP)]
        scores.append(sum(each))
    none = _best(scores)
    stops = _chosen(found.signs, Sign.NONE, none) == Sign.FULL_STOP
    after_stop = np.concatenate(([True], stops[:-1]))
    scores = [
        _f1(
            after_stop | (_chosen(found.cases, Case.LOWER, penalty) != Case.LOWER),
            found.true_cases != Case.LOWER,
        )
        for penalty in _PENALTIES
    ]
    return Penalties(none, _best(scores))


def _best(scores: list[float]) -> float:
    return round(float(_PENALTIES[int(np.argmax(scores))]), 2)


def _chosen(
    log_probs: npt.NDArray[np.float32], frequent: int, penalty: float
) -> npt.NDArray[np.int64]:
    shifted = log_probs.copy()
    shifted[:, frequent] -= penalty
    chosen: npt.NDArray[np.int64] = shifted.argmax(axis=1)
    return chosen


def _predicted(network: PunctuationNetwork, text: EncodedText, seed: int) -> _Predicted:
    """Return what the network says about some rows."""
    rows = sentence_rows(text.signs)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:_ROWS]
    signs, cases = [np.zeros((0, len(Sign)), np.float32)], [np.zeros((0, len(Case)), np.float32)]
    places = [np.zeros(0, np.int64)]
    with torch.inference_mode():
        for start, end in rows[chosen].tolist():
            words = torch.from_numpy(text.rows[start:end].astype(np.int64))[None]
            sign_logits, case_logits = network(words, torch.ones(words.shape))
            signs.append(torch.log_softmax(sign_logits[0], -1).numpy())
            cases.append(torch.log_softmax(case_logits[0], -1).numpy())
            places.append(np.arange(start, end))
    place = np.concatenate(places)
    return _Predicted(
        np.concatenate(signs), np.concatenate(cases), text.signs[place], text.cases[place]
    )


def _f1(chosen: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    return 2 * int((chosen & truth).sum()) / max(1, int(chosen.sum()) + int(truth.sum()))
