"""The best texts of an utterance besides the best one, and their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from asr_runtime.decoding.greedy import Decoding
from asr_runtime.decoding.traceback import BestPath
from asr_runtime.errors import DecoderError
from asr_runtime.timed_text import Token

MAX_ALTERNATIVES = 100
"""The most texts that can be asked for."""

_MOST_PATHS = 10  # that are written for each text that is wanted; many differ in nothing one reads


def checked_alternatives(number: int) -> int:
    """Return how many texts are wanted.

    Raises:
        DecoderError: The number is out of its range.
    """
    if isinstance(number, int) and 1 <= number <= MAX_ALTERNATIVES:
        return number
    raise DecoderError(f"alternatives must be 1 to {MAX_ALTERNATIVES}, not {number!r}")


def with_alternatives(
    decoding: Decoding,
    score: float,
    paths: Iterable[BestPath],
    write: Callable[[BestPath], Iterable[Token]],
    number: int,
) -> Decoding:
    """Return a decoding with the best different texts, if more than its own is wanted.

    Args:
        decoding: Of the best path, whose text comes first whatever the paths say.
        score: That path's score in nats.
        paths: The best paths, the most probable first; not looked at for one text.
        write: Returns the tokens of a path; ValueError if its frames do not suffice for that.
        number: How many texts, at most.

    Returns:
        The decoding; each alternative has its score less that of the best text, 0 or less.
    """
    if number == 1:
        return decoding
    found = {decoding.text: 0.0}
    for _, path in zip(range(_MOST_PATHS * number), paths, strict=False):
        # The search joins paths, so that a part of one need not be a path.
        with suppress(ValueError):
            text = "".join(token.text for token in write(path))
            found.setdefault(text, min(0.0, path.score - score))
        if len(found) >= number:
            break
    return replace(decoding, alternatives=tuple(found.items()))


def led_by(
    best: str, alternatives: Iterable[tuple[str, float]], number: int
) -> tuple[tuple[str, float], ...]:
    """Return alternatives that begin with a text which another search found.

    Args:
        best: The text.
        alternatives: Texts and scores, the best one first.
        number: How many texts.

    Returns:
        At most so many texts, each with its score less that of the first one, 0 or less.
    """
    scores = dict(alternatives)
    base = scores.pop(best, 0.0)
    others = [(text, min(0.0, score - base)) for text, score in scores.items()]
    return ((best, 0.0), *others)[:number]
