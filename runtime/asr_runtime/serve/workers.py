"""The threads that compute: one bounded number of them for uploads, live streams and Wyoming.

What a live stream waits for goes first. Uploads are transcribed a segment at a time, those that
came first before others, and between two parts of a long recording a worker does what is urgent.
While a stream is open, one of several workers takes no uploads.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from asr_runtime.errors import AsrRuntimeError

T = TypeVar("T")

_URGENT = -1


class Workers:
    """A pool of threads with two kinds of jobs."""

    def __init__(self, number: int) -> None:
        """Start the threads.

        Args:
            number: How many.
        """
        self._number = number
        self._changed = threading.Condition()
        self._jobs: list[tuple[int, int, Future[Any], Callable[[], Any]]] = []
        self._sequence = itertools.count()
        self._tickets = itertools.count()
        self._patient_running = 0
        self._live = 0
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{index}", daemon=True)
            for index in range(number)
        ]
        for thread in self._threads:
            thread.start()

    def ticket(self) -> int:
        """Return the place of an upload in the queue, behind those that have one."""
        return next(self._tickets)

    def submit(self, function: Callable[[], T], ticket: int = _URGENT) -> Future[T]:
        """Have a function called in one of the threads.

        Args:
            function: The job.
            ticket: Place in the queue of the upload that it belongs to; without one it is urgent.

        Raises:
            AsrRuntimeError: The server is stopping.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closing:
                raise AsrRuntimeError("the server is stopping; ask another one")
            heapq.heappush(self._jobs, (ticket, next(self._sequence), future, function))
            self._changed.notify()
        return future

    async def run(self, function: Callable[[], T]) -> T:
        """Return what an urgent job returns."""
        return await asyncio.wrap_future(self.submit(function))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Keep a worker free of uploads, if there are several."""
        with self._changed:
            self._live += 1
        try:
            yield
        finally:
            with self._changed:
                self._live -= 1
                self._changed.notify_all()

    def give_way(self) -> None:
        """Do what is urgent, within a job that is not."""
        while True:
            with self._changed:
                if not self._jobs or self._jobs[0][0] != _URGENT:
                    return
                _, _, future, function = heapq.heappop(self._jobs)
            _carry_out(future, function)

    def close(self) -> None:
        """Do what was submitted, and end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _may_begin(self) -> bool:
        if not self._jobs:
            return False
        reserved = 1 if self._live and self._number > 1 else 0
        return self._jobs[0][0] == _URGENT or self._patient_running < self._number - reserved

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._may_begin():
                    if self._closing and not self._jobs:
                        return
                    self._changed.wait()
                ticket, _, future, function = heapq.heappop(self._jobs)
                patient = ticket != _URGENT
                self._patient_running += patient
            _carry_out(future, function)
            if patient:
                with self._changed:
                    self._patient_running -= 1
                    # One that waits may not have been allowed to begin.
                    self._changed.notify()
            del future, function


def _carry_out(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
