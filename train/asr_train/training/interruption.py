"""Ctrl-C and SIGTERM as a request that training honours between two steps."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType, TracebackType

from asr_train.errors import ToolkitError

#: A launcher such as torchrun passes on, within this time, what a terminal's Ctrl-C has already
#: sent to the whole process group: seconds in which a signal repeats the request.
REPEAT_SECONDS = 2.0


class Interrupted(ToolkitError):  # noqa: N818 - the run stopped as asked
    """Training stopped on request; a resumable checkpoint has been written."""

    exit_code = 130  # as shells report an end by Ctrl-C


class InterruptFlag:
    """While entered, the first SIGINT or SIGTERM only sets ``requested``; a later one kills.

    A KeyboardInterrupt in the middle of an optimiser step would leave weights that belong to no
    step. Outside the main thread, where Python forbids signal handlers, it does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._requested_at = 0.0
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> InterruptFlag:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._previous[number] = signal.signal(number, self._handle)
            except ValueError:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.requested:
            self.requested, self._requested_at = True, now
        elif now - self._requested_at > REPEAT_SECONDS:
            self._restore()
            os.kill(os.getpid(), number)

    def _restore(self) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)  # type: ignore[arg-type]
        self._previous.clear()


def ignore_interrupts(worker_id: int) -> None:
    """Ignore Ctrl-C in a loader worker process: it reaches the whole group, and one must answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
