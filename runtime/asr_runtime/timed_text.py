"""The parts of a transcript: characters and words with their times, and other texts."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

SPACE = " "
"""The token between two words, and between two segments that are joined."""

SECONDS_DIGITS = 3
"""Decimals of seconds in JSON."""

CONFIDENCE_DIGITS = 4
"""Decimals of confidences in JSON."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Some text, from ``start`` to ``end`` in seconds from the start of the audio."""

    text: str
    start: float
    end: float
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, rounded as in `Transcript.to_dict`."""
        return {
            "text": self.text,
            "start": round(self.start, SECONDS_DIGITS),
            "end": round(self.end, SECONDS_DIGITS),
            "confidence": round(self.confidence, CONFIDENCE_DIGITS),
        }


@dataclass(frozen=True, slots=True)
class Token(_Span):
    """One character of the text.

    Attributes:
        text: The character.
        start: Where it begins, in seconds from the start of the audio.
        end: Where it ends, in seconds from the start of the audio.
        confidence: Geometric mean of the character's probability over its frames, 0 to 1.
    """


@dataclass(frozen=True, slots=True)
class Word(_Span):
    """The characters between two spaces.

    Attributes:
        text: The characters.
        start: Where the first one begins, in seconds from the start of the audio.
        end: Where the last one ends, in seconds from the start of the audio.
        confidence: Geometric mean of the characters' confidences, 0 to 1.
    """


@dataclass(frozen=True, slots=True)
class ReadableWord(_Span):
    """A word as it is written, with the sign after it; a number may stand for several words.

    Attributes:
        text: The word with its capital letters, and the sign after it.
        start: Where its first word begins, in seconds from the start of the audio.
        end: Where its last word ends, in seconds from the start of the audio.
        confidence: Geometric mean of its words' confidences, 0 to 1.
        words: How many of `Transcript.words` it stands for.
    """

    words: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, rounded as in `Transcript.to_dict`."""
        span = _Span(self.text, self.start, self.end, self.confidence)
        return {**span.to_dict(), "words": self.words}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the best texts of a segment.

    Attributes:
        text: The text as it would have been recognised, in lower case and without signs.
        score: How the search rates it beside the text that was recognised: the natural logarithm of
            the ratio of the two probabilities, by sound and language model together. The recognised
            text has 0, and the others have less.
        start: Where the segment begins in the recording, in seconds.
        end: Where the segment ends in the recording, in seconds.
    """

    text: str
    score: float
    start: float
    end: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, rounded as in `Transcript.to_dict`."""
        return {
            "text": self.text,
            "score": round(self.score, CONFIDENCE_DIGITS),
            "start": round(self.start, SECONDS_DIGITS),
            "end": round(self.end, SECONDS_DIGITS),
        }


class TokenSequence(Sequence[Token]):
    """Tokens that are made when they are asked for: 30 bytes each instead of 150."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        """Begin with some tokens.

        Args:
            tokens: The first tokens, in order.
        """
        self._texts: dict[str, int] = {}
        self._classes = array("H")
        self._numbers = array("d")  # start, end and confidence of each
        self.extend(tokens)

    def append(self, token: Token) -> None:
        """Add one token at the end."""
        self._classes.append(self._texts.setdefault(token.text, len(self._texts)))
        self._numbers.extend((token.start, token.end, token.confidence))

    def extend(self, tokens: Iterable[Token]) -> None:
        """Add several tokens at the end."""
        for token in tokens:
            self.append(token)

    def __len__(self) -> int:
        """Return how many tokens there are."""
        return len(self._classes)

    @overload
    def __getitem__(self, index: int) -> Token: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Token, ...]: ...

    def __getitem__(self, index: int | slice) -> Token | tuple[Token, ...]:
        """Return one token, or a tuple of several."""
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(len(self))))
        return self._token(tuple(self._texts), range(len(self))[index])

    def __iter__(self) -> Iterator[Token]:
        """Yield the tokens in order."""
        texts = tuple(self._texts)
        for index in range(len(self)):
            yield self._token(texts, index)

    def __eq__(self, other: object) -> bool:
        """Compare with another sequence or a tuple, token by token."""
        if not isinstance(other, (tuple, TokenSequence)):
            return NotImplemented
        return len(self) == len(other) and all(
            one == two for one, two in zip(self, other, strict=True)
        )

    def __hash__(self) -> int:
        """Return the hash of the equal tuple."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Return the text of the equal tuple."""
        return repr(tuple(self))

    def _token(self, texts: tuple[str, ...], index: int) -> Token:
        start, end, confidence = self._numbers[3 * index : 3 * index + 3]
        return Token(texts[self._classes[index]], start, end, confidence)


def clipped(tokens: Iterable[Token], duration: float) -> tuple[Token, ...]:
    """Return tokens none of whose times is later than the end of the audio.

    The last frame of a model reaches past it.

    Args:
        tokens: The tokens.
        duration: Length of the audio in seconds.

    Returns:
        The tokens with their times bounded.
    """
    return tuple(
        Token(token.text, min(token.start, duration), min(token.end, duration), token.confidence)
        for token in tokens
    )


def geometric_mean(probabilities: Sequence[float]) -> float:
    """Return the geometric mean of one or more probabilities; 0 if one of them is 0."""
    if min(probabilities) <= 0.0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))
