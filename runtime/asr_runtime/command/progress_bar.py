"""A line in the terminal that shows how far a long recording has been read."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

_SHOW_AFTER = 1.5  # seconds
_SHOW_EVERY = 0.2

_BAR = 24  # characters
_TO_LINE_START_AND_CLEAR = "\r\x1b[K"


class ProgressBar:
    """Shows itself on a terminal, when the work takes more than a second or two."""

    def __init__(
        self,
        duration: float | None,
        stream: TextIO,
        text: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to measure; nothing is shown yet.

        Args:
            duration: Length of the audio in seconds, None if it is not known.
            stream: Where to show it; nothing is written to anything but a terminal.
            text: Where the text goes, which may be the same terminal. Call `clear` before writing
                there.
            clock: Gives seconds.
        """
        self._duration = duration
        self._stream = stream
        self._clock = clock
        self._text_in_terminal = text.isatty()
        # A Windows console may show the codes instead of obeying them.
        self._wanted = (
            stream.isatty() and os.environ.get("TERM") != "dumb" and sys.platform != "win32"
        )
        self._begin = clock()
        self._due = self._begin + _SHOW_AFTER
        self._column = 0
        self._shown = False

    def update(self, seconds: float) -> None:
        """Show that so many seconds of audio are done."""
        if not self._wanted or (now := self._clock()) < self._due:
            return
        self._due = now + _SHOW_EVERY
        width = shutil.get_terminal_size().columns - 1
        line = _line(seconds, self._duration, now - self._begin)[:width]
        if not self._shown and self._text_in_terminal and self._column:
            self._stream.write("\n")
        self._stream.write(_TO_LINE_START_AND_CLEAR + line)
        self._stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Take it away, and go back to where the text ended."""
        if not self._shown:
            return
        self._stream.write(_TO_LINE_START_AND_CLEAR)
        if self._text_in_terminal and self._column:
            self._stream.write(f"\x1b[A\x1b[{self._column}C")
        self._stream.flush()
        self._shown = False

    def wrote(self, text: str) -> None:
        """Count text that was written after what was there, all of it in one line."""
        # After a full line the cursor is where the next begins once the bar made it go there.
        self._column = (self._column + len(text)) % shutil.get_terminal_size().columns


def _line(seconds: float, duration: float | None, elapsed: float) -> str:
    if not duration:
        return f"{clock_time(seconds)} done in {clock_time(elapsed)}"
    share = min(1.0, seconds / duration)
    filled = round(share * _BAR)
    bar = "#" * filled + "." * (_BAR - filled)
    line = f"[{bar}] {share:4.0%}  {clock_time(seconds)} of {clock_time(duration)}"
    if share > 0:
        line += f"  {clock_time(elapsed * (1 - share) / share)} left"
    return line


def clock_time(seconds: float) -> str:
    """Return seconds as people read them: 4:05, or 1:04:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
