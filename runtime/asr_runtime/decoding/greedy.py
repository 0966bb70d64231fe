"""Greedy CTC decoding. It needs numpy alone, so that training scores with the decoder of devices.

The rules: the best label of each frame; repeated labels merge; the blank is removed, so that a
blank between two equal labels keeps both; runs of spaces become one and none is left at either end.
A space is the word boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.timed_text import Token, geometric_mean

WORD_BOUNDARY = " "


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a decoder finds in one utterance.

    Attributes:
        text: The text.
        tokens: Its characters, with times in seconds.
        confidence: As `Transcript.confidence` is defined.
        alternatives: The best texts and their scores, as in `Alternative`, if a beam search was
            asked for several.
    """

    text: str
    tokens: tuple[Token, ...]
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()


def greedy_decode(
    log_probs: npt.NDArray[np.floating[Any]],
    vocabulary: Sequence[str],
    blank_id: int,
    seconds_per_frame: float,
) -> Decoding:
    """Decode one utterance with times and confidences.

    A token starts where its first frame does and ends where its last frame does.

    Args:
        log_probs: Natural-log probabilities [frames, classes]; no frames give an empty text.
        vocabulary: Text of each class, the blank's included.
        blank_id: The blank's class.
        seconds_per_frame: How far apart frames are.

    Returns:
        The text with its characters.

    Raises:
        ValueError: The shapes do not fit each other.

    Examples:
        >>> import numpy as np
        >>> from asr_runtime import greedy_decode
        >>> best = np.array([0, 0, 2, 1, 2, 1])
        >>> decoding = greedy_decode(np.log(np.eye(3)[best] + 1e-9), ["h", "o", ""], 2, 0.02)
        >>> decoding.text
        'hoo'
        >>> decoding.tokens[0].end
        0.04
    """
    labels, first, last = _best_path(log_probs, vocabulary, blank_id)
    best = log_probs.max(axis=1) if len(log_probs) else np.zeros(0)
    tokens: list[Token] = []
    for label, begin, end in zip(labels, first, last, strict=True):
        text = vocabulary[label]
        if text == WORD_BOUNDARY and (not tokens or tokens[-1].text == WORD_BOUNDARY):
            continue
        confidence = mean_probability(best[begin : end + 1])
        tokens.append(
            Token(text, begin * seconds_per_frame, (end + 1) * seconds_per_frame, confidence)
        )
    if tokens and tokens[-1].text == WORD_BOUNDARY:
        tokens.pop()
    return Decoding(
        text="".join(token.text for token in tokens),
        tokens=tuple(tokens),
        confidence=(
            geometric_mean([token.confidence for token in tokens])
            if tokens
            else mean_probability(best)
        ),
    )


def greedy_text(
    log_probs: npt.NDArray[np.floating[Any]], vocabulary: Sequence[str], blank_id: int
) -> str:
    """Decode one utterance to its text alone.

    Args:
        log_probs: Natural-log probabilities [frames, classes].
        vocabulary: Text of each class, the blank's included.
        blank_id: The blank's class.

    Returns:
        The text that `greedy_decode` finds.

    Raises:
        ValueError: The shapes do not fit each other.
    """
    labels, _, _ = _best_path(log_probs, vocabulary, blank_id)
    words = "".join(vocabulary[label] for label in labels).split(WORD_BOUNDARY)
    return WORD_BOUNDARY.join(word for word in words if word)


def _best_path(
    log_probs: npt.NDArray[np.floating[Any]], vocabulary: Sequence[str], blank_id: int
) -> tuple[list[int], list[int], list[int]]:
    """Return the emitted labels, and the first and last frame of each."""
    check_log_probs(log_probs, vocabulary, blank_id)
    if not len(log_probs):
        return [], [], []
    path = log_probs.argmax(axis=1)
    first = np.concatenate(([0], np.flatnonzero(path[1:] != path[:-1]) + 1))
    last = np.append(first[1:], len(path)) - 1
    spoken = path[first] != blank_id
    return path[first][spoken].tolist(), first[spoken].tolist(), last[spoken].tolist()


def check_log_probs(
    log_probs: npt.NDArray[np.floating[Any]], vocabulary: Sequence[str], blank_id: int
) -> None:
    """Check log-probabilities against a vocabulary.

    Args:
        log_probs: Natural-log probabilities.
        vocabulary: Text of each class.
        blank_id: The blank's class.

    Raises:
        ValueError: The shape is not [frames, classes], or the blank is none of the classes.
    """
    if log_probs.ndim != 2 or log_probs.shape[1] != len(vocabulary):
        raise ValueError(
            f"log_probs must be [frames, {len(vocabulary)}] for this vocabulary, "
            f"not {list(log_probs.shape)}"
        )
    if not 0 <= blank_id < len(vocabulary):
        raise ValueError(f"blank_id must be 0..{len(vocabulary) - 1}, not {blank_id}")


def mean_probability(log_probs: npt.NDArray[np.floating[Any]]) -> float:
    """Return e to the mean of some log-probabilities.

    Args:
        log_probs: Natural-log probabilities [frames].

    Returns:
        0 to 1; rounding can leave a log-probability a little above 0. Without frames 0.
    """
    if not len(log_probs):
        return 0.0
    return min(1.0, float(np.exp(np.mean(log_probs, dtype=np.float64))))
