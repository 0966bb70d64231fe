"""Files shared over processes, each with a recogniser of its own.

Every worker is a fresh interpreter, which has one file at a time. So when a worker is killed it is
known which file it had, and the others' files are not concerned. What the recognisers read of the
language model's file, the system holds in memory once.
"""

from __future__ import annotations

import io
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType

from asr_runtime.command.file_transcription import (
    ReadingOptions,
    WritingOptions,
    transcribe_file,
)
from asr_runtime.command.inputs import Job
from asr_runtime.command.loading import LoadingOptions
from asr_runtime.command.progress_bar import ProgressBar
from asr_runtime.errors import AsrRuntimeError

_LOOK_SECONDS = 0.2  # how often the caller may show that work goes on
_LEAVE_SECONDS = 5.0  # that a worker has to remove its draft


class WorkerError(AsrRuntimeError):
    """The workers cannot work at all."""


@dataclass(frozen=True)
class Result:
    """What became of a job.

    Attributes:
        job: The job.
        output: What belongs to standard output.
        remarks: Warnings, a line each.
        problem: Why there is no transcript, or not all of it; None if all is well.
    """

    job: Job
    output: str = ""
    remarks: list[str] = field(default_factory=list)
    problem: str | None = None


@dataclass(frozen=True)
class _Started:
    """The first message of a worker: its warnings, or why it cannot work."""

    remarks: list[str]
    problem: str | None = None


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    job: Job | None = None
    ready: bool = False


class Workers:
    """Some processes that transcribe; to be left with ``with``, which ends them."""

    def __init__(
        self,
        count: int,
        loading: LoadingOptions,
        reading: ReadingOptions,
        writing: WritingOptions,
    ) -> None:
        """Start the processes, which load the recogniser at once.

        Args:
            count: How many.
            loading: The recogniser.
            reading: How to read files.
            writing: How to write transcripts.
        """
        self._arguments = (loading, reading, writing)
        self._workers: list[_Worker] = []
        for _ in range(count):
            self._start()

    def __enter__(self) -> Workers:
        """Return the workers."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the processes, also those that are at work."""
        for worker in self._workers:
            worker.process.terminate()
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(_LEAVE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def run(
        self,
        jobs: Iterable[Job],
        remark: Callable[[str], None],
        look: Callable[[], None] = lambda: None,
    ) -> Iterator[Result]:
        """Do jobs.

        Args:
            jobs: What to do, in this order.
            remark: Called with each warning about the recogniser.
            look: Called a few times a second.

        Yields:
            What became of each job, as soon as it is known.

        Raises:
            WorkerError: No worker can load the recogniser.
        """
        waiting = deque(jobs)
        reported: set[str] = set()
        while waiting or any(worker.job for worker in self._workers):
            if not self._workers:
                raise WorkerError(
                    "all workers ended while they loaded the model; there may be too little "
                    "memory for so many: try fewer --workers"
                )
            ready = wait([worker.connection for worker in self._workers], _LOOK_SECONDS)
            look()
            for worker in [each for each in self._workers if each.connection in ready]:
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    yield from self._lost(worker, bool(waiting))
                    continue
                if isinstance(message, Result):
                    worker.job = None
                    yield message
                elif message.problem is not None:
                    raise WorkerError(message.problem)
                else:
                    worker.ready = True
                    for line in message.remarks:
                        if line not in reported:
                            remark(line)
                    reported.update(message.remarks)
                if waiting:
                    self._give(worker, waiting)

    def _give(self, worker: _Worker, waiting: deque[Job]) -> None:
        job = waiting.popleft()
        worker.job = job
        with suppress(OSError):  # if it has ended, its end is noticed next
            worker.connection.send(job)

    def _lost(self, worker: _Worker, more: bool) -> Iterator[Result]:
        """Note that a worker ended; another takes its place if there is more to do."""
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        if worker.job is not None:
            problem = f"is not transcribed, because the worker that read it {_end(worker.process)}"
            yield Result(worker.job, problem=problem)
        if more and worker.ready:
            self._start()

    def _start(self) -> None:
        # A fork would copy the threads' locks of the libraries that are loaded already.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, *self._arguments), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))


def _end(process: BaseProcess) -> str:
    code = process.exitcode or 0
    if code >= 0:
        return f"ended with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    memory = "; there may be too little memory" if name == "SIGKILL" else ""
    return f"was ended by {name}{memory}"


def _no_bar(duration: float | None) -> ProgressBar:
    nowhere = io.StringIO()
    return ProgressBar(duration, nowhere, nowhere)


def _work(
    connection: Connection,
    loading: LoadingOptions,
    reading: ReadingOptions,
    writing: WritingOptions,
) -> None:
    """Load a recogniser, and do jobs until there are no more."""
    # Ctrl-C reaches all processes of a terminal. The first one decides, and asks to terminate,
    # which leaves the time to remove a draft.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the first one has ended
        try:
            recognizer, remarks = loading.load()
        except AsrRuntimeError as error:
            connection.send(_Started([], str(error)))
            return
        connection.send(_Started(remarks))
        while True:
            job: Job = connection.recv()
            output, found = io.StringIO(), list[str]()
            problem = None
            try:
                transcribe_file(
                    recognizer,
                    job.file,
                    reading,
                    writing,
                    destination=job.destination,
                    stream=output,
                    bar=_no_bar,
                    remark=found.append,
                )
            except AsrRuntimeError as error:
                problem = error.problem
            connection.send(Result(job, output.getvalue(), found, problem))


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # another one would break off the removing
    sys.exit(128 + number)
