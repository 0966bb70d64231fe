"""How far the log-probabilities of engines are from those of a reference engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr_bench.engines.engine_process import EngineFailureError, EngineProcess
from asr_bench.engines.pool import Processes
from asr_bench.results import Deviation
from asr_bench.runs.plan import Measurements, Plan

LogProbs = npt.NDArray[np.float32]


@dataclass
class Tally:
    """Differences from the reference, recording by recording."""

    largest: float = 0.0
    total: float = 0.0
    values: int = 0
    same_texts: int = 0

    def add(self, log_probs: LogProbs, expected: LogProbs) -> None:
        """Compare one recording.

        Args:
            log_probs: Float32 [frames, labels] of the engine.
            expected: Float32 [frames, labels] of the reference.

        Raises:
            EngineFailureError: The shapes differ, or a value is not finite.
        """
        from asr_bench.engines.ctc_model import decode

        if log_probs.shape != expected.shape:
            raise EngineFailureError(
                f"gives log-probabilities of shape {list(log_probs.shape)} where the reference "
                f"gives {list(expected.shape)}"
            )
        difference = np.abs(log_probs.astype(np.float64) - expected)
        if not np.isfinite(difference).all():
            raise EngineFailureError("gives log-probabilities that are not finite")
        self.largest = max(self.largest, float(difference.max(initial=0)))
        self.total += float(difference.sum())
        self.values += difference.size
        self.same_texts += decode(log_probs) == decode(expected)


def measure_deviation(plan: Plan, processes: Processes, measurements: Measurements) -> None:
    """Run every engine of ``processes`` on every recording, the reference first.

    Without recordings, the longest clip is taken, and no texts are compared.
    """
    tallies: dict[str, Tally] = {}
    out = plan.scratch / "log-probabilities.npy"
    ordered = processes.beginning_with(plan.reference or "")
    for recording in plan.compared:
        expected: LogProbs | None = None

        def run(process: EngineProcess, audio: Path = recording.audio) -> LogProbs:
            process.log_probs(audio, out)
            values: LogProbs = np.load(out, allow_pickle=False)
            return values

        for engine, values in ordered.each(0, run):
            if expected is None and engine.name != plan.reference:
                return  # the reference has failed, and says why in the results
            expected = values if expected is None else expected
            tally = tallies.setdefault(engine.name, Tally())
            processes.pool.attempt(engine, partial(tally.add, values, expected))
    count = len(plan.recordings)
    for name, tally in tallies.items():
        if name not in processes.pool.failures:
            measurements.deviation[name] = Deviation(
                reference=plan.reference or "",
                recordings=count,
                max_difference=tally.largest,
                mean_difference=tally.total / max(1, tally.values),
                same_texts=tally.same_texts / count if count else None,
            )
