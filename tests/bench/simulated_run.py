"""A run of a benchmark that nothing was measured for."""

from collections.abc import Sequence

import numpy as np

from asr_bench.measuring.environment import Environment
from asr_bench.results import (
    Accuracy,
    ColdStart,
    EngineResult,
    Kind,
    Latency,
    Results,
    Rooflines,
    Settings,
    Streaming,
    Throughput,
)

OURS = "asr-run edge int8, beam"


def simulated_run(
    environment: Environment,
    seed: int,
    *,
    slower: float = 1.0,
    machine: float = 1.0,
    rounds: int = 12,
    settings: Sequence[tuple[float, int]] = ((1, 1), (10, 1), (30, 1), (1, 2), (10, 2), (30, 2)),
    noise: float = 0.03,
    spikes: float = 0.04,
) -> Results:
    """As a shared machine measures it: log-normal noise, spikes, and a speed that wanders.

    Args:
        environment: of the run.
        seed: of the noise.
        slower: factor of all times of this project's engines.
        machine: factor of all times whatsoever.
        rounds: samples of everything.
        settings: durations and threads.
        noise: standard deviation of a sample's logarithm.
        spikes: how often a sample takes up to 2.5 times as long.
    """
    rng = np.random.default_rng(seed)
    run_pace = np.log(machine) + rng.normal(0, 0.02)

    def wander(samples: int) -> np.ndarray:
        """Logarithm of how slow the machine is, round by round of one part of the run."""
        return run_pace + rng.normal(0, 0.01) + np.cumsum(rng.normal(0, 0.003, samples))

    # All that one round measures shares the state of the machine.
    paces = {setting: wander(rounds) for setting in sorted(settings, key=lambda one: one[::-1])}
    starting, batches, streams = wander(7), wander(rounds), wander(20)

    def times(base: float, pace: np.ndarray) -> tuple[float, ...]:
        disturbed = np.where(rng.random(pace.shape) < spikes, rng.uniform(1.2, 2.5, pace.shape), 1)
        return tuple(base * np.exp(pace + rng.normal(0, noise, pace.shape)) * disturbed)

    def engine(name: str, kind: Kind, speed: float, errors: float) -> EngineResult:
        factor = speed if kind == "peer" else speed * slower
        latency = []
        for (duration, threads), state in paces.items():
            base = factor * (0.002 + 0.003 * duration) / threads**0.7
            latency.append(
                Latency(
                    duration=duration,
                    threads=threads,
                    wall=times(base, state),
                    cpu=times(base * threads**0.7, state),
                    warmup_wall=times(3 * base, state[:2]),
                    peak_rss=round(1e8 + 2e6 * duration),
                    noisy=False,
                )
            )
        # What is said is the same in every run.
        said = np.random.default_rng(5)
        words = said.integers(5, 25, 60)
        wrong = said.binomial(words, errors)
        total = times(0.5 * factor, starting)
        return EngineResult(
            name=name,
            kind=kind,
            model="edge",
            version="1.0",
            model_bytes=4_000_000,
            install_bytes=188_000_000,
            operations_per_second_of_audio=None if kind == "peer" else 2.5e8,
            cold_start=tuple(ColdStart(0.5 * t, 0.2 * t, 0.1 * t, t) for t in total),
            latency=tuple(latency),
            throughput=(Throughput(8, 1, 10.0, times(0.2 * factor, batches)),),
            streaming=(
                Streaming(
                    640,
                    320,
                    times(0.003 * factor, np.repeat(streams, 12)),
                    times(0.01 * factor, streams),
                ),
            )
            if name == OURS
            else (),
            accuracy=Accuracy(
                word_error_rate=float(wrong.sum() / words.sum()),
                errors=int(wrong.sum()),
                words=int(words.sum()),
                wall=3.0 * factor,
                cpu=3.2 * factor,
                audio=600.0,
                per_recording=tuple(zip(wrong.tolist(), words.tolist(), strict=True)),
            ),
        )

    def rates(rate: float) -> dict[int, tuple[float, ...]]:
        found: dict[int, tuple[float, ...]] = {}
        for (_, threads), state in paces.items():
            seconds = times(1 / (rate * threads), state)
            found[threads] = found.get(threads, ()) + tuple(1 / value for value in seconds)
        return found

    return Results(
        environment=environment,
        settings=Settings(
            durations=tuple(dict.fromkeys(duration for duration, _ in settings)),
            threads=tuple(dict.fromkeys(threads for _, threads in settings)),
            batch_sizes=(8,),
            rounds=rounds,
            warmup=2,
            quick=False,
            recordings=60,
            recording_seconds=600.0,
            normalizer="plain",
        ),
        rooflines=Rooflines(rates(90.0), rates(9.0)),
        engines=(
            engine(OURS, "runtime", 1.0, 0.25),
            engine("torch eager edge", "backend", 2.0, 0.25),
            engine("faster-whisper tiny.en", "peer", 20.0, 0.08),
            EngineResult("vosk", "peer", "", "", skipped="vosk is not installed"),
        ),
    )
