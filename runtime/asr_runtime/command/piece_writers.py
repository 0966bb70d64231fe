"""Writing a transcript piece by piece, as it is found, in memory that does not grow with it."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import IO, Any, TextIO

from asr_runtime.long_recordings.joining import SPACE, space_between
from asr_runtime.transcript import CONFIDENCE_DIGITS, SECONDS_DIGITS, Token, Transcript, Word

_MOST_IN_MEMORY = 1 << 20  # characters of each part of a JSON object; the rest goes to a file


class TextWriter:
    """Writes one line, a piece at a time, and at once: a reader of a pipe need not wait.

    prefix: what the line begins with.
    before, after: called around every write, the latter with what was written.
    """

    def __init__(
        self,
        stream: TextIO,
        prefix: str,
        before: Callable[[], None] = lambda: None,
        after: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._stream = stream
        self._next = prefix
        self._before, self._after = before, after
        self.is_empty = True

    def add(self, piece: Transcript) -> None:
        """Write the text of a piece."""
        if not piece.text:
            return
        self.is_empty = False  # before it is written, for that may be broken off
        self._write(self._next + piece.text)
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
    """Writes one object with everything, once all pieces are there.

    The parts that come side by side are kept apart until then, in files if they are large.
    """

    def __init__(self) -> None:
        self._text, self._words, self._tokens = (
            tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY, "w+", encoding="ascii")  # noqa: SIM115
            for _ in range(3)
        )
        self._end: float | None = None

    def add(self, piece: Transcript) -> None:
        """Keep a piece."""
        if not piece.tokens:
            return
        tokens: Iterable[Token] = piece.tokens
        text = piece.text
        if self._end is not None:
            tokens = (space_between(self._end, piece), *piece.tokens)
            text = SPACE + text
        self._end = piece.tokens[-1].end
        self._text.write(json.dumps(text)[1:-1])
        _append(self._words, piece.words)
        _append(self._tokens, tokens)

    def write(
        self,
        stream: TextIO,
        first: dict[str, Any],
        confidence: float,
        duration: float,
        last: dict[str, Any],
    ) -> None:
        """Write the object in one line, with other fields before and after the transcript's."""
        fields = {
            "confidence": round(confidence, CONFIDENCE_DIGITS),
            "start": 0.0,
            "duration": round(duration, SECONDS_DIGITS),
        }
        stream.write(json.dumps(first)[:-1] + ', "text": "')
        _copy(self._text, stream)
        stream.write('", ' + json.dumps(fields)[1:-1] + ', "words": [')
        _copy(self._words, stream)
        stream.write('], "tokens": [')
        _copy(self._tokens, stream)
        stream.write("], " + json.dumps(last)[1:] + "\n")
        stream.flush()

    def __enter__(self) -> "JsonWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in (self._text, self._words, self._tokens):
            part.close()


def _append(file: IO[str], items: Iterable[Word] | Iterable[Token]) -> None:
    for item in items:
        file.write((", " if file.tell() else "") + json.dumps(item.to_dict()))


def _copy(file: IO[str], stream: TextIO) -> None:
    file.seek(0)
    shutil.copyfileobj(file, stream)
