"""Writing a transcript segment by segment, in memory that does not grow with it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import IO, Any, TextIO

from asr_runtime.timed_text import (
    CONFIDENCE_DIGITS,
    SECONDS_DIGITS,
    SPACE,
    Alternative,
    ReadableWord,
    Token,
    Word,
)
from asr_runtime.transcript import FORMAT_VERSION, SegmentTotals, Transcript, space_before

_MOST_IN_MEMORY = 1 << 20  # characters of each part of a JSON object; the rest goes to a file


class TextWriter:
    """Writes one line, a segment at a time, and at once: a reader of a pipe need not wait.

    Attributes:
        is_empty: Whether no text was written yet.
        end_seconds: Where the last segment that was written ends in the recording.
    """

    def __init__(
        self,
        stream: TextIO,
        prefix: str,
        before: Callable[[], None] = lambda: None,
        after: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Begin a line.

        Args:
            stream: Where to write.
            prefix: What the line begins with.
            before: Called before every write.
            after: Called after every write with what was written.
        """
        self._stream = stream
        self._next = prefix
        self._before, self._after = before, after
        self.is_empty = True
        self.end_seconds = 0.0

    def add(self, segment: Transcript) -> None:
        """Write the text of a segment."""
        if not segment.text:
            return
        self.is_empty = False  # before it is written, because that may be broken off
        self.end_seconds = segment.end
        self._write(self._next + segment.text)
        self._next = SPACE

    def end(self) -> None:
        """End the line."""
        if self.is_empty:
            self._write(self._next)
        self._write("\n")

    def break_off(self) -> None:
        """End the line if one was begun."""
        if not self.is_empty:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._before()
        self._stream.write(text)
        self._stream.flush()
        self._after(text)


class JsonWriter:
    """Writes one object with everything, once all segments are there.

    The parts that come side by side are kept apart until then, in files if they are large.

    Attributes:
        totals: Length and confidence of the segments so far.
    """

    def __init__(self) -> None:
        """Begin with no segments."""
        self.totals = SegmentTotals()
        self._parts = [
            tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY, "w+", encoding="ascii")  # noqa: SIM115
            for _ in range(5)
        ]
        self._text, self._readable, self._words, self._tokens, self._alternatives = self._parts
        self._is_readable = False
        self._end: float | None = None

    def add(self, segment: Transcript) -> None:
        """Keep a segment."""
        self.totals.add(segment)
        self._is_readable = segment.readable is not None
        _append(self._alternatives, segment.alternatives)
        if not segment.tokens:
            return
        tokens: Iterable[Token] = segment.tokens
        text = segment.text
        if self._end is not None:
            tokens = (space_before(segment, self._end), *segment.tokens)
            text = SPACE + text
        self._end = segment.tokens[-1].end
        self._text.write(json.dumps(text)[1:-1])
        _append(self._readable, segment.readable or ())
        _append(self._words, segment.words)
        _append(self._tokens, tokens)

    def write(self, stream: TextIO, first: dict[str, Any], last: dict[str, Any]) -> None:
        """Write the object in one line.

        Args:
            stream: Where to write.
            first: Fields before the transcript's.
            last: Fields after the transcript's.
        """
        fields = {
            "confidence": round(self.totals.confidence, CONFIDENCE_DIGITS),
            "start": 0.0,
            "duration": round(self.totals.duration, SECONDS_DIGITS),
        }
        stream.write(json.dumps(first)[:-1] + ', "text": "')
        _copy(self._text, stream)
        stream.write('", ' + json.dumps(fields)[1:-1])
        if self._is_readable:
            stream.write(', "readable": [')
            _copy(self._readable, stream)
            stream.write("]")
        stream.write(', "words": [')
        _copy(self._words, stream)
        stream.write('], "tokens": [')
        _copy(self._tokens, stream)
        stream.write("]")
        if self._alternatives.tell():
            stream.write(', "alternatives": [')
            _copy(self._alternatives, stream)
            stream.write("]")
        stream.write(', "warnings": ' + json.dumps(list(self.totals.warnings)))
        last = {"format_version": FORMAT_VERSION, **last}
        stream.write(", " + json.dumps(last)[1:] + "\n")
        stream.flush()

    def __enter__(self) -> JsonWriter:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        for part in self._parts:
            part.close()


def _append(file: IO[str], items: Iterable[Word | ReadableWord | Token | Alternative]) -> None:
    for item in items:
        file.write((", " if file.tell() else "") + json.dumps(item.to_dict()))


def _copy(file: IO[str], stream: TextIO) -> None:
    file.seek(0)
    shutil.copyfileobj(file, stream)
