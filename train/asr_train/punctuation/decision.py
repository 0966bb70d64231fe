"""How much more probable than no sign a sign has to be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from asr_runtime.readable_text.annotation import Sign
from asr_train.punctuation.encoding import EncodedText
from asr_train.punctuation.network import PunctuationNetwork
from asr_train.punctuation.training import sentence_rows

_ROWS = 1000
"""Rows of text that the penalty is chosen on. Each was seen once at most, so hardly learned."""

_PENALTIES = np.arange(0.0, 1.6, 0.1)


def choose_none_penalty(network: PunctuationNetwork, text: EncodedText, seed: int = 1) -> float:
    """Choose the penalty of no sign that gives the best mean F1 of comma and full stop.

    The most probable class leaves out two signs for each that it puts in wrongly, because most
    words have none.

    Args:
        network: A trained network.
        text: What it was trained on.
        seed: Of the choice of rows.

    Returns:
        The penalty in nats.
    """
    signs, truth = _predicted(network, text, seed)
    if not len(truth):
        return 0.0
    scores = []
    for penalty in _PENALTIES:
        shifted = signs.copy()
        shifted[:, Sign.NONE] -= penalty
        chosen = shifted.argmax(axis=1)
        scores.append(np.mean([_f1(chosen, truth, s) for s in (Sign.COMMA, Sign.FULL_STOP)]))
    return round(float(_PENALTIES[int(np.argmax(scores))]), 2)


def _predicted(
    network: PunctuationNetwork, text: EncodedText, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Return log-probabilities [words, 4] and true signs [words] of some rows."""
    rows = sentence_rows(text.signs)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:_ROWS]
    signs, truth = [np.zeros((0, len(Sign)), np.float32)], [np.zeros(0, np.uint8)]
    with torch.inference_mode():
        for start, end in rows[chosen].tolist():
            words = torch.from_numpy(text.rows[start:end].astype(np.int64))[None]
            logits, _ = network(words, torch.ones(words.shape))
            signs.append(torch.log_softmax(logits[0], -1).numpy())
            truth.append(text.signs[start:end])
    return np.concatenate(signs), np.concatenate(truth)


def _f1(chosen: npt.NDArray[np.int64], truth: npt.NDArray[np.uint8], sign: Sign) -> float:
    right = int(((chosen == sign) & (truth == sign)).sum())
    return 2 * right / max(1, int((chosen == sign).sum()) + int((truth == sign).sum()))
