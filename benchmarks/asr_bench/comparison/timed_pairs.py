"""Everything that two runs both timed, and what tells how fast the machine was at it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from asr_bench.comparison.speed_change import Pair, SpeedChange, speed_change
from asr_bench.measuring.reliability import machine_warnings, reliability_warnings, scattered
from asr_bench.reporting.table import plural
from asr_bench.results import EngineResult, Results, Seconds

CPU_TIME = "CPU time"

_SHORTEST = 1e-9  # seconds; a coarse clock says 0


@dataclass(frozen=True)
class TimedPair:
    """One measure of one engine, timed in both runs.

    Attributes:
        engine: Name of the engine.
        measure: What was timed.
        where: At which setting.
        medians: Seconds in the first and the second run.
        change: Change from the one to the other.
        warnings: Why the samples should not be trusted.
        only_scattered: Whether there is nothing else against them; then other settings may show
            what these alone do not.
    """

    engine: str
    measure: str
    where: str
    medians: tuple[float, float]
    change: SpeedChange
    warnings: tuple[str, ...]
    only_scattered: bool


@dataclass(frozen=True)
class _Timed:
    """Samples of one run at one setting; ``alike`` is that of ``reliability_warnings``.

    ``duration`` is that of an utterance in whose rounds the rooflines were measured as well;
    ``marked``, whether other work kept the machine busy then.
    """

    threads: int
    samples: Seconds
    duration: float | None = None
    marked: bool = False
    alike: bool = True


_Key = tuple[str, str]  # measure and setting


def setting(duration: float, threads: int) -> str:
    """Return the words for an utterance's length and threads."""
    return f"{duration:g} s, {plural(threads, 'thread')}"


def timed_pairs(before: Results, after: Results) -> list[TimedPair]:
    """Pair the times of engines in both runs, in the order of the first."""
    old = {engine.name: dict(_timed(engine)) for engine in before.engines}
    new = {engine.name: dict(_timed(engine)) for engine in after.engines}
    steady = _unchanged_peers(before, after)
    pairs = []
    for engine, measured in old.items():
        for key, first in measured.items():
            second = new.get(engine, {}).get(key)
            if second is None:
                continue
            measure, where = key
            controls = [
                Pair(old[peer][key].samples, new[peer][key].samples)
                for peer in steady
                if peer != engine and key in old[peer] and key in new[peer]
            ]
            busy = _busy(before, first), _busy(after, second)
            # Rooflines are timed by the clock: on a busy machine that is not the processor's time.
            if measure != CPU_TIME or not any(busy):
                controls += _roofline_pairs(before, after, first)
            machine = _run_warnings(before, after, measure, busy)
            pairs.append(
                TimedPair(
                    engine=engine,
                    measure=measure,
                    where=where,
                    medians=(float(np.median(first.samples)), float(np.median(second.samples))),
                    # Wall and CPU time of a setting are of the same rounds.
                    change=speed_change(
                        Pair(first.samples, second.samples, same_work=_same_work(first, second)),
                        controls,
                        zlib.crc32(where.encode()),
                    ),
                    warnings=(*_sample_warnings(first, second), *machine),
                    only_scattered=not (machine or _sample_warnings(first, second, scatter=False)),
                )
            )
    return pairs


def _busy(run: Results, timed: _Timed) -> bool:
    return timed.marked or run.environment.overloaded


def _run_warnings(
    before: Results, after: Results, measure: str, busy: tuple[bool, bool]
) -> tuple[str, ...]:
    """Return what speaks against a time on a busy machine.

    CPU time suffers only if other work shared the cores and their caches in one run alone.
    """
    if measure == CPU_TIME:
        return () if busy[0] == busy[1] else ("other work kept all cores busy in one run only",)
    warnings = [*machine_warnings(before.environment), *machine_warnings(after.environment)]
    if any(busy) and not warnings:
        warnings.append("noisy when measured")
    return tuple(dict.fromkeys(warnings))


def _timed(engine: EngineResult) -> Iterator[tuple[_Key, _Timed]]:
    for row in engine.latency:
        where = setting(row.duration, row.threads)
        marked = row.noisy and not scattered(row.wall)  # so not for the scatter
        for measure, seconds in (("latency", row.wall), (CPU_TIME, row.cpu)):
            yield (measure, where), _Timed(row.threads, _positive(seconds), row.duration, marked)
    for batch in engine.throughput:
        where = f"{batch.batch_size} x {setting(batch.duration, batch.threads)}"
        yield ("batch", where), _Timed(batch.threads, _positive(batch.wall))
    if engine.cold_start:
        total = _positive(tuple(start.total for start in engine.cold_start))
        least = min((row.threads for row in engine.latency), default=1)
        yield ("cold start", ""), _Timed(least, total)
    for stream in engine.streaming:
        where = f"chunk {stream.chunk_ms:g} ms, look-ahead {stream.lookahead_ms:g} ms"
        # What a chunk takes depends on what is said in it.
        for measure, seconds in (
            ("stream, a chunk", stream.chunk_seconds),
            ("stream, its end", stream.finish_seconds),
        ):
            if seconds:
                yield (measure, where), _Timed(1, _positive(seconds), alike=False)


def _unchanged_peers(before: Results, after: Results) -> list[str]:
    def versions(results: Results) -> dict[str, tuple[str, str]]:
        return {
            engine.name: (engine.version, engine.model)
            for engine in results.engines
            if engine.kind == "peer"
        }

    late = versions(after)
    return [name for name, version in versions(before).items() if late.get(name) == version]


def _same_work(first: _Timed, second: _Timed) -> bool:
    return not first.alike and len(first.samples) == len(second.samples)


def _roofline_pairs(before: Results, after: Results, timed: _Timed) -> list[Pair]:
    pairs = []
    for rates in ("sgemm_gflops", "memory_copy_gbytes"):
        old, new = (getattr(run.rooflines, rates).get(timed.threads, ()) for run in (before, after))
        if old and new:
            own = _own_rounds(before, old, timed.duration), _own_rounds(after, new, timed.duration)
            if own[0] and own[1]:
                pairs.append(Pair(_inverse(own[0]), _inverse(own[1])))
            else:
                rounds = min(before.settings.rounds, after.settings.rounds)
                pairs.append(Pair(_inverse(old), _inverse(new), elsewhere=max(1, rounds)))
    return pairs


def _own_rounds(results: Results, rates: Seconds, duration: float | None) -> Seconds:
    """Return the rates of the rounds of a duration: one a round, durations ascending."""
    rounds, durations = results.settings.rounds, sorted(results.settings.durations)
    if duration not in durations or len(rates) != rounds * len(durations):
        return ()
    begin = durations.index(duration) * rounds
    return rates[begin : begin + rounds]


def _inverse(rates: Seconds) -> Seconds:
    return tuple(1 / rate for rate in _positive(rates))


def _positive(samples: Seconds) -> Seconds:
    return tuple(max(value, _SHORTEST) for value in samples)


def _sample_warnings(first: _Timed, second: _Timed, *, scatter: bool = True) -> tuple[str, ...]:
    warnings: list[str] = []
    for run in (first, second):
        warnings += reliability_warnings(run.samples, alike=run.alike and scatter)
    return tuple(dict.fromkeys(warnings))
