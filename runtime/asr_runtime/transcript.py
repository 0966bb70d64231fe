"""What a recogniser returns: the text, when each character was spoken, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from asr_runtime.timed_text import (
    CONFIDENCE_DIGITS,
    SECONDS_DIGITS,
    SPACE,
    Alternative,
    ReadableWord,
    Token,
    TokenSequence,
    Word,
    geometric_mean,
)

FORMAT_VERSION = 1
"""Version of the JSON form of a transcript, which ``transcript.schema.json`` describes.

It grows when a field goes or changes its meaning; new fields may come without."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of one utterance, of a segment of a recording, or of a whole recording.

    A CTC model marks a character where it recognises it, so times are good to about a tenth of a
    second.

    Attributes:
        text: What was said, as it is read if ``readable`` is there.
        confidence: Geometric mean of the tokens' confidences, 0 to 1: e to the mean log-probability
            of the best path where it emits something. Of an empty text it is the same mean over all
            frames, which is how sure the model is that nothing was said. It ranks results of one
            model; it is not the probability that the text is right.
        tokens: The characters that were recognised, which are ``text`` when they are joined unless
            that is readable. Their times count from the recording's beginning.
        duration: Length of the audio that the text covers, in seconds.
        start: Where that audio begins in the recording, in seconds.
        warnings: What is wrong with the audio although it could be transcribed, a line each: that
            it is nearly silent, clipped or incomplete, for example. Of a recording in segments the
            last one has them.
        channel: Number of the channel that was transcribed, from 1 on; None for the mix of all.
        readable: The words of ``text`` with signs, capital letters and digits, if the recogniser
            was asked for them; otherwise None.
        alternatives: The best texts of each segment, if the recogniser was asked for several: the
            recognised one, then the others, the most probable first. Those of a longer recording
            follow each other, and those of one segment have its start and end.
    """

    text: str
    confidence: float
    tokens: Sequence[Token]
    duration: float
    start: float = 0.0
    warnings: tuple[str, ...] = ()
    channel: int | None = None
    readable: tuple[ReadableWord, ...] | None = None
    alternatives: tuple[Alternative, ...] = ()

    @property
    def end(self) -> float:
        """Where the audio that the text covers ends in the recording, in seconds."""
        return self.start + self.duration

    @property
    def words(self) -> tuple[Word, ...]:
        """The recognised words in order, in lower case, each with its times."""
        words = []
        letters: list[Token] = []
        for token in chain(self.tokens, (None,)):
            if token is not None and token.text != SPACE:
                letters.append(token)
            elif letters:
                words.append(_word(letters))
                letters = []
        return tuple(words)

    @property
    def shown_words(self) -> tuple[Word, ...] | tuple[ReadableWord, ...]:
        """The words as a person reads them: ``readable`` if it is there, otherwise ``words``."""
        return self.words if self.readable is None else self.readable

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types.

        Returns:
            Seconds are rounded to the millisecond, confidences and scores to four decimals.
            ``readable`` and ``alternatives`` are there only if the transcript has them.
            ``transcript.schema.json`` in this package describes all fields.
        """
        readable, alternatives = self.readable, self.alternatives
        return {
            "text": self.text,
            "confidence": round(self.confidence, CONFIDENCE_DIGITS),
            "start": round(self.start, SECONDS_DIGITS),
            "duration": round(self.duration, SECONDS_DIGITS),
            **({} if readable is None else {"readable": [word.to_dict() for word in readable]}),
            "words": [word.to_dict() for word in self.words],
            "tokens": [token.to_dict() for token in self.tokens],
            **({"alternatives": [each.to_dict() for each in alternatives]} if alternatives else {}),
            "warnings": list(self.warnings),
            **({} if self.channel is None else {"channel": self.channel}),
            "format_version": FORMAT_VERSION,
        }

    def to_srt(self) -> str:
        """Return subtitles as a SubRip file's text, in the words that a person reads.

        Returns:
            Cues of at most two lines; of no words an empty text.
        """
        from asr_runtime.subtitles import to_srt

        return to_srt(self.shown_words)

    def to_vtt(self, *, word_times: bool = False) -> str:
        """Return subtitles as a WebVTT file's text, in the words that a person reads.

        Args:
            word_times: Whether every word but the first of a cue begins with its time.

        Returns:
            A header, and cues of at most two lines.
        """
        from asr_runtime.subtitles import to_vtt

        return to_vtt(self.shown_words, word_times=word_times)

    def to_tsv(self) -> str:
        """Return the text in tab-separated values: start, end, both in milliseconds, and text.

        Returns:
            A header, and a row for the words of each subtitle.
        """
        from asr_runtime.subtitles import to_tsv

        return to_tsv(self.shown_words)

    @staticmethod
    def join(segments: Iterable[Transcript]) -> Transcript:
        """Make one transcript of all segments of a recording.

        The tokens take some 30 bytes each, so that hours of speech fit into memory.

        Args:
            segments: What `Recognizer.segments` yields: in order, to the end of the recording.

        Returns:
            The transcript of the whole recording. A single segment from the recording's beginning
            is returned as it is.

        Raises:
            ValueError: There are no segments.
        """
        totals = SegmentTotals()
        tokens = TokenSequence()
        texts = []
        readable: list[ReadableWord] = []
        is_readable = False
        alternatives: list[Alternative] = []
        count = 0
        for count, segment in enumerate(segments, 1):  # noqa: B007 - their number is needed
            totals.add(segment)
            alternatives += segment.alternatives
            if segment.tokens:
                if tokens:
                    tokens.append(space_before(segment, tokens[-1].end))
                tokens.extend(segment.tokens)
                texts.append(segment.text)
            if segment.readable is not None:
                is_readable = True
                readable.extend(segment.readable)
        if not count:
            raise ValueError("there are no segments to join")
        if count == 1 and segment.start == 0.0:
            return segment
        return Transcript(
            SPACE.join(texts),
            totals.confidence,
            tokens,
            totals.duration,
            warnings=totals.warnings,
            channel=segment.channel,
            readable=tuple(readable) if is_readable else None,
            alternatives=tuple(alternatives),
        )


class SegmentTotals:
    """Length and confidence of a recording of which segments are known, as they come.

    Attributes:
        duration: Where the last segment ends, in seconds.
        confidence: `Transcript.confidence` of all segments as one.
        warnings: Those of all segments.
    """

    def __init__(self) -> None:
        """Begin with no segments."""
        self.duration = 0.0
        self.confidence = 0.0
        self.warnings: tuple[str, ...] = ()
        self._log_probability = 0.0
        self._tokens = 0

    def add(self, segment: Transcript) -> None:
        """Count one more segment, the next in order."""
        self.duration = segment.end
        self.warnings += segment.warnings
        if not segment.tokens:
            if not self._tokens:
                self.confidence = segment.confidence
            return
        is_first = not self._tokens
        # The space between two segments is certain, so it adds a token and no log-probability.
        self._tokens += len(segment.tokens) + (not is_first)
        self._log_probability += len(segment.tokens) * _log(segment.confidence)
        self.confidence = (
            segment.confidence
            if is_first
            else min(1.0, math.exp(self._log_probability / self._tokens))
        )


def space_before(segment: Transcript, end: float) -> Token:
    """Return the space before a segment that follows another one.

    It is certain, because there was a pause, or the segment was cut where a word ended.

    Args:
        segment: A segment with text.
        end: Where the last character before it ends, in seconds.

    Returns:
        A token that lasts from there to the segment's first character.
    """
    return Token(SPACE, end, segment.tokens[0].start, 1.0)


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0.0 else -math.inf


def _word(letters: Sequence[Token]) -> Word:
    return Word(
        text="".join(letter.text for letter in letters),
        start=letters[0].start,
        end=letters[-1].end,
        confidence=geometric_mean([letter.confidence for letter in letters]),
    )
