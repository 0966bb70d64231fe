"""A Python process that is asked, and answers, a line at a time."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any

from asr_bench.errors import BenchError

_GRACE = 10.0  # seconds, for an end in good order


class LineProcess:
    """The process from the side that asks.

    Args:
        name: Name for messages, as in "the process that runs ``name``".
        arguments: Arguments of the Python interpreter.
        environment: Variables that replace or complete those of this process.
        time_limit: Seconds that an answer may take; None for any.
        error_output: File for its standard error; None for this process's own.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        time_limit: float | None = None,
        error_output: IO[bytes] | None = None,
    ) -> None:
        self._name = name
        self._time_limit = time_limit
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=error_output,
            text=True,
            env={**os.environ, **environment},
        )
        # Pipes have no time limit of their own on every system, queues have.
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, question: str) -> str:
        """Send a line and return the answer; ``BenchError`` as in ``answer``."""
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._stdin.write(f"{question}\n")
            self._stdin.flush()
        return self.answer()

    def answer(self) -> str:
        """Return the next line.

        Raises:
            BenchError: The process ended, or took longer than the time limit and was ended.
        """
        try:
            line = self._lines.get(timeout=self._time_limit)
        except queue.Empty:
            self.kill()
            raise BenchError(
                f"the process that runs {self._name} did not answer within {self._time_limit:g} s"
            ) from None
        if not line:
            code = self._process.wait()
            reason = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            hint = "; does the memory suffice for this duration?" if code < 0 else ""
            raise BenchError(f"the process that runs {self._name} {reason}{hint}")
        return line.strip()

    @property
    def pid(self) -> int:
        """Process number."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Let it end with its standard input."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._stdout.close()

    def _read(self) -> None:
        for line in self._stdout:
            self._lines.put(line)
        self._lines.put("")

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout
