"""How long one utterance takes, in every form of a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from asr_bench.errors import BenchError
from asr_bench.measuring.environment import logical_cores
from asr_bench.measuring.roofline import Roofline, matrix_products
from asr_bench.measuring.timing import Contender, interleave, measuring, wait_for_idle_threads
from asr_bench.model_forms.subjects import Subject
from asr_export.inspection.flops import count_operations
from asr_export.loading.backends import Backend, Floats
from asr_export.verification.probe import probe_signal
from asr_train.model.config import SAMPLE_RATE

#: Seconds; the activations of longer ones do not fit into a small machine's memory.
LONGEST = 600.0


@dataclass(frozen=True)
class LatencySettings:
    """What to measure; ``BenchError`` when it makes no sense.

    Attributes:
        durations: seconds of audio.
        threads: numbers of threads.
        rounds: samples of everything.
        warmup: rounds before those, not counted.
    """

    durations: tuple[float, ...]
    threads: tuple[int, ...]
    rounds: int
    warmup: int

    def __post_init__(self) -> None:
        for duration in self.durations:
            if not 1 / SAMPLE_RATE <= duration <= LONGEST:
                raise BenchError(
                    f"duration must be more than 0 and at most {LONGEST:g} seconds, "
                    f"not {duration:g}"
                )
        cores = logical_cores()
        for count in self.threads:
            if not 1 <= count <= cores:
                raise BenchError(f"threads must be 1 to {cores} on this machine, not {count}")
        if self.rounds < 1:
            raise BenchError(f"rounds must be 1 or more, not {self.rounds}")
        if self.warmup < 0:
            raise BenchError(f"warmup must be 0 or more, not {self.warmup}")

    @property
    def rounds_in_all(self) -> int:
        """Of one model, warm-up included."""
        return len(self.durations) * len(self.threads) * (self.warmup + self.rounds)


@dataclass(frozen=True)
class Cell:
    """What was measured together: one model, thread count and duration.

    The samples at one index belong to one round, over all the lists.

    Attributes:
        model: name.
        threads: of every backend.
        duration: seconds of audio.
        operations: floating-point operations that the utterance takes.
        latencies: seconds of every run, by backend, the reference first.
        sgemm: FLOP/s of the matrix product, by engine.
    """

    model: str
    threads: int
    duration: float
    operations: float
    latencies: Mapping[str, tuple[float, ...]]
    sgemm: Mapping[str, tuple[float, ...]]


def measure_latency(
    subject: Subject,
    settings: LatencySettings,
    *,
    roofline: Callable[[int], Roofline] = matrix_products,
    clock: Callable[[], float] = time.perf_counter,
    settle: Callable[[], None] = wait_for_idle_threads,
    after_round: Callable[[], None] = lambda: None,
) -> list[Cell]:
    """Batch 1, all forms interleaved with the matrix products; see ``timing.interleave``.

    Args:
        subject: has backends for all of ``settings.threads``.
        settings: what to measure.
        roofline: matrix products for a number of threads.
        clock: seconds, monotonic.
        settle: called before each run, outside the timing.
        after_round: called ``settings.rounds_in_all`` times.
    """
    cells = []
    for threads in settings.threads:
        peak = roofline(threads)
        backends = subject.backends[threads]
        for duration in settings.durations:
            signal = probe_signal(duration, seed=0)[None, :]
            contenders = [_contender(name, form, signal) for name, form in backends.items()]
            with measuring(threads):
                seconds = interleave(
                    [*contenders, *peak.contenders],
                    rounds=settings.rounds,
                    warmup=settings.warmup,
                    clock=clock,
                    settle=settle,
                    after_round=after_round,
                )
            sgemm = {
                engine.name: tuple(peak.operations / value for value in seconds.pop(engine.name))
                for engine in peak.contenders
            }
            cells.append(
                Cell(
                    model=subject.name,
                    threads=threads,
                    duration=duration,
                    operations=count_operations(subject.config, signal.size).total,
                    latencies=seconds,
                    sgemm=sgemm,
                )
            )
    return cells


def _contender(name: str, backend: Backend, signal: Floats) -> Contender:
    lengths = np.array([signal.shape[1]], dtype=np.int64)
    return Contender(name, lambda: backend(signal, lengths))
