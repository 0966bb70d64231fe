"""How live results are shown: a line that changes in a terminal, sentences, or JSON lines."""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from typing import TextIO

from asr_runtime.live.live_stream import StreamResult

_ERASE_LINE = "\r\x1b[K"
_DIM, _NOT_DIM = "\x1b[2m", "\x1b[22m"


class LiveDisplay(ABC):
    """Writes results to a text stream, each at once."""

    def __init__(self, output: TextIO) -> None:
        """Choose where to write.

        Args:
            output: A text stream.
        """
        self._output = output

    @abstractmethod
    def show(self, result: StreamResult) -> None:
        """Show one result; the results of a sentence end with the final one."""

    def clear(self) -> None:  # noqa: B027 - most have nothing to take away
        """Take away what is not final, so that other text can be written."""

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()


class TerminalDisplay(LiveDisplay):
    """Sentences, and below them the one being spoken, whose last words may still change.

    What may change is dimmed, unless the environment has NO_COLOR. Of a long sentence the end is
    shown.
    """

    def __init__(self, output: TextIO) -> None:
        """Choose where to write.

        Args:
            output: A terminal.
        """
        super().__init__(output)
        self._dims = not os.environ.get("NO_COLOR")

    def show(self, result: StreamResult) -> None:
        """Replace the line by what is known now."""
        text = result.text
        if result.is_final:
            self._write(_ERASE_LINE + (text and text + "\n"))
            return
        # In its last column a terminal may go on to the next line, which \r does not leave.
        room = max(shutil.get_terminal_size().columns - 1, 1)
        start = max(len(text) - room, 0)
        stable, unstable = text[start : len(result.stable)], text[max(start, len(result.stable)) :]
        if self._dims and unstable:
            unstable = _DIM + unstable + _NOT_DIM
        self._write(_ERASE_LINE + stable + unstable)

    def clear(self) -> None:
        """Take the line away."""
        # Also the ^C that a terminal shows.
        self._write(_ERASE_LINE)


class SentenceDisplay(LiveDisplay):
    """Finished sentences only, a line each: for a file or another program."""

    def show(self, result: StreamResult) -> None:
        """Write the sentence if it is finished."""
        if result.is_final and result.text:
            self._write(result.text + "\n")


class JsonDisplay(LiveDisplay):
    """A JSON object a line for each result."""

    def show(self, result: StreamResult) -> None:
        """Write the result as JSON."""
        self._write(json.dumps(result.to_dict()) + "\n")


def open_display(output: TextIO, *, as_json: bool) -> LiveDisplay:
    """Return the display that fits where the output goes.

    Args:
        output: A text stream.
        as_json: Whether JSON is wanted, wherever it goes.
    """
    if as_json:
        return JsonDisplay(output)
    if output.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalDisplay(output)
    return SentenceDisplay(output)
