"""A process that tries damaged files one after another, and is replaced when one ends it."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from asr_bench.errors import BenchError
from asr_bench.fuzzing.seeds import Target
from asr_bench.fuzzing.trial import CRASH, HANG, OK, Outcome, serve

#: Files that one process tries before it is replaced, so that one does not suffer from another's.
_FILES_A_PROCESS = 500
_START_SECONDS = 180.0


@dataclass(frozen=True)
class Limits:
    """Limits of what one file may take.

    Attributes:
        seconds: Before it counts as a hang.
        memory_bytes: Address space, beyond what the valid file takes.
    """

    seconds: float = 30.0
    memory_bytes: int = 1 << 30


class Worker:
    """One process that tries files.

    Attributes:
        index: Number of the file that it has in hand, or None.
        expires: When that file counts as a hang, of ``time.monotonic``.
        connection: Readable when its result is there.
    """

    connection: Connection

    def __init__(self, target: Target, path: Path, limits: Limits) -> None:
        self._target, self._path, self._limits = target, path, limits
        self.index: int | None = None
        self.expires = 0.0
        self._start()

    def give(self, index: int, suffix: str, content: bytes) -> None:
        """Begin with a file."""
        if self._given >= _FILES_A_PROCESS:
            self.stop()
            self._start()
        self._given += 1
        path = self._path.with_suffix(suffix)
        path.write_bytes(content)
        self.index = index
        self.expires = time.monotonic() + self._limits.seconds
        self.connection.send(path)

    def take(self) -> Outcome:
        """Wait for the file and return what became of it."""
        outcome = self._receive(self.expires - time.monotonic())
        self.index = None
        if outcome.kind in (CRASH, HANG):
            self.stop()
            self._start()
        return outcome

    def stop(self) -> None:
        """End the process."""
        self.connection.close()
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        seed = self._target.seeds[0]
        valid = self._path.with_suffix(f".valid{Path(seed.name).suffix}")
        valid.write_bytes(seed.content)
        # A fork would inherit the threads of libraries in whatever state they are.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, self._target.name, valid, self._limits.memory_bytes)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._given = 0
        self.connection.send(valid)
        outcome = self._receive(_START_SECONDS)
        if outcome.kind != OK:
            raise BenchError(
                f"the runtime does not take a valid file of {self._target.name} "
                f"({outcome.kind}: {outcome.message.strip()}); try it with asr-run"
            )

    def _receive(self, seconds: float) -> Outcome:
        with contextlib.suppress(EOFError, ConnectionResetError):
            if not self.connection.poll(max(0.0, seconds)):
                return Outcome(HANG, f"no result after {self._limits.seconds:g} s")
            outcome = self.connection.recv()
            assert isinstance(outcome, Outcome)
            return outcome
        self._process.join()
        return Outcome(CRASH, f"the process ended with status {self._process.exitcode}")
