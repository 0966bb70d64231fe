"""What a recogniser returns: the text, when each character was spoken, and how sure it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

SECONDS_DIGITS = 3
CONFIDENCE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Span:
    """Some text, from `start` to `end` in seconds from the start of the audio."""

    text: str
    start: float
    end: float
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types, rounded as in `Transcript.to_dict`."""
        return {
            "text": self.text,
            "start": round(self.start, SECONDS_DIGITS),
            "end": round(self.end, SECONDS_DIGITS),
            "confidence": round(self.confidence, CONFIDENCE_DIGITS),
        }


@dataclass(frozen=True, slots=True)
class Token(_Span):
    """One character of the text. `start` and `end` are seconds from the start of the audio.

    `confidence` (0..1) is the geometric mean of the character's probability over its frames.
    """


@dataclass(frozen=True, slots=True)
class Word(_Span):
    """The characters between two spaces, from the first one's `start` to the last one's `end`.

    `confidence` (0..1) is the geometric mean of its characters' confidences.
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
class Transcript:
    """The text of one utterance.

    `confidence` (0..1) is the geometric mean of the tokens' confidences, that is e to the mean
    log-probability of the best path where it emits something. Of an empty text it is the same mean
    over all frames: how sure the model is that nothing was said. It ranks results of one model; it
    is not the probability that the text is right.

    `tokens` joined are `text`. `start` is where the audio that the text covers begins, in seconds,
    and `duration` its length: of a whole recording 0 and its length, of a sentence within one the
    part between the pauses around it. The times of tokens count from the recording's beginning. A
    CTC model marks a character where it recognises it, so times are good to about a tenth of a
    second.
    """

    text: str
    confidence: float
    tokens: Sequence[Token]
    duration: float
    start: float = 0.0
    readable: tuple[ReadableWord, ...] | None = None

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of `text`, in order."""
        words = []
        letters: list[Token] = []
        for token in chain(self.tokens, (None,)):
            if token is not None and token.text != " ":
                letters.append(token)
            elif letters:
                words.append(_join(letters))
                letters = []
        return tuple(words)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types; seconds to the millisecond, confidences to 4 digits."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, CONFIDENCE_DIGITS),
            "start": round(self.start, SECONDS_DIGITS),
            "duration": round(self.duration, SECONDS_DIGITS),
            "words": [word.to_dict() for word in self.words],
            "tokens": [token.to_dict() for token in self.tokens],
        }


def geometric_mean(probabilities: Sequence[float]) -> float:
    """The geometric mean of one or more probabilities; 0 if one of them is 0."""
    if min(probabilities) <= 0.0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))


def _join(letters: Sequence[Token]) -> Word:
    return Word(
        text="".join(letter.text for letter in letters),
        start=letters[0].start,
        end=letters[-1].end,
        confidence=geometric_mean([letter.confidence for letter in letters]),
    )
