"""Word times and confidences corrected by what was measured about the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from asr_runtime.model_file.word_calibration import WordCalibration
from asr_runtime.timed_text import SPACE, Token, Word, geometric_mean

_SHORTEST_SECONDS = 0.01  # of a word

WordLogProbs = Callable[[Sequence[str]], Sequence[float]]
"""Says how much each word of a sentence was to be expected, in nats [words]."""


def calibrated(
    tokens: Sequence[Token],
    calibration: WordCalibration | None,
    earliest: float = 0.0,
    word_log_probs: WordLogProbs | None = None,
) -> tuple[Token, ...]:
    """Correct the words of an utterance.

    Where two words follow each other at once, the end of the first moves with the start of the
    second. Characters keep their parts of their word's time. Their confidences are raised to one
    power, so that their geometric mean, the word's confidence, becomes the word's probability.

    Args:
        tokens: The characters of whole words, in order, with spaces between words.
        calibration: What was measured; None leaves the tokens as they are.
        earliest: Seconds before which no word begins.
        word_log_probs: Asks the language model; needed where the calibration makes use of it.

    Returns:
        The tokens with other times and confidences.
    """
    if calibration is None or not tokens:
        return tuple(tokens)
    groups = [list(group) for _, group in groupby(tokens, lambda token: token.text == SPACE)]
    words = [group for group in groups if group[0].text != SPACE]
    starts, at_least = [], earliest
    for word in words:
        starts.append(max(at_least, word[0].start + calibration.start_shift))
        at_least = starts[-1] + _SHORTEST_SECONDS
    ends = [
        max(start + _SHORTEST_SECONDS, min(word[-1].end + calibration.end_shift, limit))
        for word, start, limit in zip(words, starts, [*starts[1:], float("inf")], strict=True)
    ]
    evidence = _evidence(words, calibration, word_log_probs)
    result: list[Token] = []
    index = 0
    for group in groups:
        if group[0].text == SPACE:
            begin = ends[index - 1] if index else earliest
            end = starts[index] if index < len(starts) else max(begin, group[-1].end)
            # What is known of a word is known of the space that it begins with.
            known = evidence[min(index, len(words) - 1)] if words else (0.0, 0.0, 0)
            result += _moved(group, min(begin, end), end, calibration, known)
        else:
            result += _moved(group, starts[index], ends[index], calibration, evidence[index])
            index += 1
    return tuple(result)


def shifted(
    words: Sequence[Word], calibration: WordCalibration | None, duration: float
) -> tuple[Word, ...]:
    """Correct the times of words whose text is known; their confidences stay as they are.

    Args:
        words: Words in order.
        calibration: What was measured; None for no correction but the audio's length.
        duration: Length of the audio in seconds; no word reaches past it.
    """
    calibration = calibration or WordCalibration()
    starts, at_least = [], 0.0
    for word in words:
        starts.append(min(max(at_least, word.start + calibration.start_shift), duration))
        at_least = min(starts[-1] + _SHORTEST_SECONDS, duration)
    limits = [*starts[1:], duration]
    return tuple(
        Word(
            word.text,
            start,
            max(start, min(word.end + calibration.end_shift, limit)),
            word.confidence,
        )
        for word, start, limit in zip(words, starts, limits, strict=True)
    )


def _evidence(
    words: Sequence[Sequence[Token]],
    calibration: WordCalibration,
    word_log_probs: WordLogProbs | None,
) -> list[tuple[float, float, int]]:
    """Return what is known of each word besides its sound; see `WordCalibration.probability`."""
    log_probs: Sequence[float] = [0.0] * len(words)
    if calibration.asks_language and word_log_probs is not None:
        log_probs = word_log_probs(["".join(token.text for token in word) for word in words])
    following = [*log_probs[1:], 0.0][: len(words)]
    return list(zip(log_probs, following, map(len, words), strict=True))


def _moved(
    group: Sequence[Token],
    start: float,
    end: float,
    calibration: WordCalibration,
    evidence: tuple[float, float, int],
) -> list[Token]:
    """Stretch a group's times to a new span, and give it its probability."""
    first, length = group[0].start, group[-1].end - group[0].start
    scale = (end - start) / length if length > 0 else 0.0
    confidence = geometric_mean([token.confidence for token in group])
    probability = calibration.probability(confidence, *evidence)

    def certainty(token: Token) -> float:
        if len(group) == 1 or not 0.0 < confidence < 1.0:
            return probability
        # The power that takes the mean to the probability, with the ratios of the logarithms kept.
        return float(probability ** (_log(token.confidence) / _log(confidence)))

    return [
        Token(
            token.text,
            start + (token.start - first) * scale,
            start + (token.end - first) * scale if length > 0 else end,
            certainty(token),
        )
        for token in group
    ]


def _log(probability: float) -> float:
    return math.log(max(probability, 1e-30))
