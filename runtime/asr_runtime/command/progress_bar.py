"""A line in the terminal that shows how far a long recording has been read."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
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
        line = self._line(seconds, now - self._begin)[:width]
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

    def _line(self, seconds: float, elapsed: float) -> str:
        if not self._duration:
            return f"{clock_time(seconds)} done in {clock_time(elapsed)}"
        share = min(1.0, seconds / self._duration)
        done = f"{clock_time(seconds)} of {clock_time(self._duration)}"
        return _share_line(share, done, elapsed)


class FilesBar(ProgressBar):
    """The same for several files, of which the sizes are known but not how long each takes."""

    def __init__(
        self,
        sizes: Sequence[int],
        stream: TextIO,
        text: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to measure; nothing is shown yet.

        Args:
            sizes: Bytes of each file.
            stream: See `ProgressBar`.
            text: See `ProgressBar`.
            clock: Gives seconds.
        """
        super().__init__(None, stream, text, clock)
        self._sizes = [max(1, size) for size in sizes]
        self._total = sum(self._sizes)
        self._done = self._files = 0
        self._current = 0

    def begin_file(self, index: int, duration: float | None) -> None:
        """Note which file is being read, and its length in seconds if that is known."""
        self._current = self._sizes[index]
        self._duration = duration

    def end_file(self, index: int) -> None:
        """Count one more file, after whose text the line was ended."""
        self._done += self._sizes[index]
        self._files += 1
        self._current = self._column = 0
        self._duration = None

    def _line(self, seconds: float, elapsed: float) -> str:
        part = min(1.0, seconds / self._duration) if self._duration else 0.0
        share = (self._done + part * self._current) / self._total
        return _share_line(share, f"{self._files} of {len(self._sizes)} files", elapsed)


def _share_line(share: float, done: str, elapsed: float) -> str:
    filled = round(share * _BAR)
    line = f"[{'#' * filled}{'.' * (_BAR - filled)}] {share:4.0%}  {done}"
    if share > 0:
        line += f"  {clock_time(elapsed * (1 - share) / share)} left"
    return line


def clock_time(seconds: float) -> str:
    """Return seconds as people read them: 4:05, or 1:04:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
