"""Ctrl-C as the end of the audio rather than of the program."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(BaseException):
    """The user ended it while the program waited."""


class Interruption:
    """While it is entered, Ctrl-C or a request to terminate only ends what `waiting` surrounds.

    Work outside `waiting` is completed. A second signal has its usual effect. It works in the main
    thread only.

    Attributes:
        signal: Number of the signal that came, or None.
    """

    def __init__(self) -> None:
        """Prepare; the signals keep their effect."""
        self.signal: int | None = None
        self._waiting = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        """Catch the signals from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            previous = signal.getsignal(number)
            # Whoever started a command in the background with nohup wants it to go on.
            if previous is not signal.SIG_IGN:
                self._previous[number] = previous
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        """Give the signals their effect back."""
        self._restore()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surround what may be broken off.

        Raises:
            Interrupted: The signal came, now or before.
        """
        self._waiting = True
        try:
            if self.signal is not None:
                raise Interrupted
            yield
        finally:
            self._waiting = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()
        if self._waiting:
            raise Interrupted

    def _restore(self) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous = {}
