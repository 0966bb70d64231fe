"""An engine in a fresh process of its own, from the side that asks: a line, and a line back."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_bench.engines.engine import Engine, describe
from asr_bench.engines.timed_stream import TimedStream
from asr_bench.errors import BenchError
from asr_bench.measuring.environment import measured_variables

_GRACE = 10.0  # seconds, for an end in good order
_LONGEST_REASON = 300  # characters
_TAIL = 10_000  # bytes of standard error in which its last line is looked for


class EngineFailureError(BenchError):
    """The process ended or did not answer in time; the message ends with its last error line."""


@dataclass(frozen=True)
class Timing:
    """Wall time and CPU time of all cores, in seconds, of one run inside the process."""

    wall: float
    cpu: float


class EngineProcess:
    """A process that has loaded an engine. The constructor and every method may fail.

    Args:
        engine: Engine to load.
        threads: Threads of the engine, and of libraries that read theirs from the environment.
        time_limit: Seconds for loading and for every answer.

    Attributes:
        started: Clock when the process was started, seconds.
        import_seconds: Time that importing the engine's packages took.
        load_seconds: Time that loading the model took.

    Raises:
        EngineFailureError: The process ended or did not answer in time.
    """

    def __init__(self, engine: Engine, threads: int, time_limit: float) -> None:
        self._name, self._time_limit, count = engine.name, time_limit, str(threads)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "asr_bench.engines.worker", json.dumps(describe(engine)), count],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=measured_variables(
                OMP_NUM_THREADS=count,
                MKL_NUM_THREADS=count,
                OPENBLAS_NUM_THREADS=count,
                HF_HUB_OFFLINE="1",
            ),
        )
        # Pipes have no time limit of their own on every system, queues have.
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            ready = self._answer()
        except BaseException:
            self._process.kill()
            self.close()
            raise
        self.import_seconds: float = ready["import"]
        self.load_seconds: float = ready["load"]

    def transcribe(self, audio: Path) -> tuple[str, Timing]:
        """Transcribe a .npy file of samples, [samples] at 16 kHz."""
        answer = self._ask("transcribe", audio=str(audio))
        return answer["text"], Timing(answer["wall"], answer["cpu"])

    def transcribe_batch(self, audio: Path, size: int) -> Timing:
        """Transcribe the same file ``size`` times, given together."""
        answer = self._ask("transcribe_batch", audio=str(audio), size=size)
        return Timing(answer["wall"], answer["cpu"])

    def log_probs(self, audio: Path, out: Path | None = None) -> Timing:
        """Run the network alone; ``out`` takes its log-probabilities [frames, labels] as .npy."""
        answer = self._ask("log_probs", audio=str(audio), out=None if out is None else str(out))
        return Timing(answer["wall"], answer["cpu"])

    def stream(self, audio: Path, chunk_ms: float, lookahead_ms: float) -> TimedStream:
        """Feed a .npy file of samples as a live stream."""
        answer = self._ask("stream", audio=str(audio), chunk_ms=chunk_ms, lookahead_ms=lookahead_ms)
        return TimedStream(**answer)

    def peak_memory(self) -> int:
        """Peak resident bytes since the process began; 0 where the system does not tell."""
        peak: int = self._ask("peak_memory")["peak_rss"]
        return peak

    @property
    def pid(self) -> int:
        """Process number."""
        return self._process.pid

    def close(self) -> None:
        """Let the process end with its standard input."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, task: str, **values: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps({"do": task, **values}) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=self._time_limit)
        except queue.Empty:
            self._process.kill()
            raise self._failure(f"did not answer within {self._time_limit:g} s") from None
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        code = self._process.wait()
        if code < 0:
            raise self._failure(
                f"was killed by signal {-code}; does the memory suffice for this duration?"
            )
        raise self._failure(f"ended with code {code}")

    def _failure(self, what: str) -> EngineFailureError:
        self._errors.seek(0, 2)
        self._errors.seek(max(0, self._errors.tell() - _TAIL))
        lines = self._errors.read().decode(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        reason = f": {last[:_LONGEST_REASON]}" if last else ""
        return EngineFailureError(f"the process that runs {self._name} {what}{reason}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")
