"""An engine in a fresh process of its own, from the side that asks."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_bench.engines.engine import Engine, describe
from asr_bench.engines.timed_stream import TimedStream
from asr_bench.errors import BenchError
from asr_bench.measuring.line_process import LineProcess

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
        count = str(threads)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.started = time.perf_counter()
        self._process = LineProcess(
            engine.name,
            ["-m", "asr_bench.engines.worker", json.dumps(describe(engine)), count],
            environment={
                "OMP_NUM_THREADS": count,
                "MKL_NUM_THREADS": count,
                "OPENBLAS_NUM_THREADS": count,
                "HF_HUB_OFFLINE": "1",
            },
            time_limit=time_limit,
            error_output=self._errors,
        )
        try:
            ready = self._explained(self._process.answer)
        except BaseException:
            self._process.kill()
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
        """End the process."""
        self._process.close()
        self._errors.close()

    def _ask(self, task: str, **values: object) -> dict[str, Any]:
        question = json.dumps({"do": task, **values})
        return self._explained(lambda: self._process.ask(question))

    def _explained(self, ask: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(ask())
        except BenchError as error:
            last = self._last_error_line()
            raise EngineFailureError(f"{error}: {last}" if last else str(error)) from None
        return answer

    def _last_error_line(self) -> str:
        self._errors.seek(0, 2)
        self._errors.seek(max(0, self._errors.tell() - _TAIL))
        lines = self._errors.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[
            :_LONGEST_REASON
        ]
