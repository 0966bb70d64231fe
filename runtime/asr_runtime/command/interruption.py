"""Ctrl-C as the end of the audio rather than of the program."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(BaseException):
    """The user ended it while the program waited."""


class Interruption:
    """While it is entered, Ctrl-C or a request to terminate only ends what `waiting` surrounds.

    Work outside `waiting` is completed. A second signal has its usual effect. Main thread only.

    signal: the number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._waiting = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        for number in (signal.SIGINT, signal.SIGTERM):
            previous = signal.getsignal(number)
            # Whoever started a command in the background with nohup wants it to go on.
            if previous is not signal.SIG_IGN:
                self._previous[number] = previous
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surrounds what may be broken off: raises Interrupted there, once the signal comes."""
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
