"""What changed between two runs of ``asr-bench run``, beyond noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from asr_bench.comparison.compare_runs import differences, other_machine
from asr_bench.comparison.speed_change import CONFIDENCE, SpeedChange, together
from asr_bench.comparison.timed_pairs import TimedPair, setting, timed_pairs
from asr_bench.errors import BenchError
from asr_bench.measuring.bootstrap import Interval, rate_difference_interval
from asr_bench.results import EngineResult, Kind, Results

#: A difference of word error rates that counts where recordings cannot be paired.
RATE_STEP = 0.005

#: Bytes by which the peak memory of one build may differ from run to run, whatever the threshold:
#: 8 MB at most in 32 settings of up to 200 MB measured twice. Whether an allocator needs one block
#: more is chance, with two threads above all.
MEMORY_NOISE = 10_000_000

Verdict = Literal["worse", "better", "same", "noisy"]
Unit = Literal["seconds", "bytes", "rate", "none"]


@dataclass(frozen=True)
class Change:
    """One measure of one engine in both runs; more is worse.

    Attributes:
        engine: Name of the engine.
        kind: Kind of the engine.
        measure: What was measured.
        where: At which setting.
        before: Figure of the first run, in ``unit``: a median where there are samples.
        after: Figure of the second run.
        unit: Unit of both; ``none`` if there is one figure for several settings.
        ratio: ``after`` over ``before``, of times with the machine's change taken out; of word
            error rates the difference.
        interval: Interval of ``ratio``; None where there is one sample.
        verdict: ``noisy`` if it would be ``worse`` or ``better``, had the samples been trustworthy.
        warnings: Why they are not; or what else to know.
    """

    engine: str
    kind: Kind
    measure: str
    where: str
    before: float
    after: float
    unit: Unit
    ratio: float
    interval: Interval | None
    verdict: Verdict
    warnings: tuple[str, ...] = ()

    @property
    def is_regression(self) -> bool:
        """Other projects' engines get worse as well, but not by what was done here."""
        return self.verdict == "worse" and self.kind != "peer"


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs.

    Attributes:
        threshold: Fraction beyond which a change counts.
        warnings: What makes times of the two incomparable.
        notes: What else differs: versions, settings, engines and settings that one run lacks.
        machine: What the controls took in the second run over the first, on the mean of all that
            was timed; None without controls.
        changes: Changes of everything that is in both runs, by engine.
    """

    threshold: float
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    machine: float | None
    changes: tuple[Change, ...]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """Changes that the exit status tells."""
        return tuple(change for change in self.changes if change.is_regression)


def compare(before: Results, after: Results, threshold: float = 0.05) -> Comparison:
    """Pair everything that both runs measured.

    Args:
        before: Run to compare with.
        after: Run in question.
        threshold: Fraction by which times, memory and sizes may change.

    Raises:
        BenchError: The runs have no engine in common, or the threshold is not a fraction.
    """
    if not 0 <= threshold < 1:
        raise BenchError(f"threshold must be at least 0 and less than 1, not {threshold:g}")
    warnings = other_machine(before.environment, after.environment)
    late = {engine.name: engine for engine in after.engines if engine.skipped is None}
    engines = [
        (engine, late[engine.name])
        for engine in before.engines
        if engine.skipped is None and engine.name in late
    ]
    if not engines:
        raise BenchError("the two runs measured no engine in common; see the names in each")
    pairs = timed_pairs(before, after)
    incomparable = ("another machine",) if warnings else ()
    changes: list[Change] = []
    for old, new in engines:
        own = [pair for pair in pairs if pair.engine == old.name]
        changes += _times(old, own, threshold, incomparable)
        changes += _bytes(old, new, threshold)
        changes += _word_errors(old, new)
    controlled = [pair.change for pair in pairs if pair.change.controls]
    return Comparison(
        threshold=threshold,
        warnings=warnings,
        notes=differences(before, after),
        machine=together(controlled).machine if controlled else None,
        changes=tuple(changes),
    )


def _times(
    engine: EngineResult,
    pairs: Sequence[TimedPair],
    threshold: float,
    incomparable: tuple[str, ...],
) -> Iterator[Change]:
    def make(
        measure: str,
        where: str,
        change: SpeedChange,
        warnings: tuple[str, ...],
        figures: tuple[float, float, Unit],
    ) -> Change:
        direction = change.direction(threshold)
        warnings = (*warnings, *incomparable, *change.reliability_warnings(threshold))
        verdict = "noisy" if direction and warnings else _verdict(direction)
        return Change(
            engine.name,
            engine.kind,
            measure,
            where,
            *figures,
            ratio=change.ratio,
            interval=change.interval,
            verdict=verdict,
            warnings=warnings,
        )

    for pair in pairs:
        figures: tuple[float, float, Unit] = (*pair.medians, "seconds")
        yield make(pair.measure, pair.where, pair.change, pair.warnings, figures)
    # What is too small a change to show at one setting may show over all of them.
    for measure in dict.fromkeys(pair.measure for pair in pairs):
        usable = [
            pair
            for pair in pairs
            if pair.measure == measure and pair.only_scattered and pair.change.is_known
        ]
        if len(usable) > 1 and any(not pair.warnings for pair in usable):
            whole = together([pair.change for pair in usable])
            where = f"{len(usable)} settings together"
            yield make(measure, where, whole, (), (1.0, whole.measured, "none"))


def _bytes(old: EngineResult, new: EngineResult, threshold: float) -> Iterator[Change]:
    def make(measure: str, where: str, before: int, after: int, noise: int = 0) -> Change:
        ratio = after / before
        direction = 0
        if abs(after - before) > noise:
            direction = (ratio > 1 + threshold) - (ratio < 1 / (1 + threshold))
        verdict = _verdict(direction)
        return Change(
            *(old.name, old.kind, measure, where, before, after, "bytes", ratio, None, verdict)
        )

    late = {(row.duration, row.threads): row.peak_rss for row in new.latency}
    for row in old.latency:
        peak = late.get((row.duration, row.threads), 0)
        if row.peak_rss and peak:
            where = setting(row.duration, row.threads)
            yield make("peak memory", where, row.peak_rss, peak, MEMORY_NOISE)
    if old.model_bytes and new.model_bytes:
        yield make("model size", "", old.model_bytes, new.model_bytes)
    if old.install_bytes and new.install_bytes:
        yield make("installed size", "", old.install_bytes, new.install_bytes)


def _word_errors(old: EngineResult, new: EngineResult) -> Iterator[Change]:
    before, after = old.accuracy, new.accuracy
    if before is None or after is None:
        return
    difference = after.word_error_rate - before.word_error_rate
    first, second = before.per_recording, after.per_recording
    interval: Interval | None = None
    warnings: tuple[str, ...] = ()
    if first and [words for _, words in first] == [words for _, words in second]:
        interval = rate_difference_interval(first, second, CONFIDENCE)
        direction = (interval.low > 0) - (interval.high < 0)
    else:
        direction = (difference > RATE_STEP) - (difference < -RATE_STEP)
        warnings = ("other recordings, so compared as a whole",)
    yield Change(
        engine=old.name,
        kind=old.kind,
        measure="word error rate",
        where="",
        before=before.word_error_rate,
        after=after.word_error_rate,
        unit="rate",
        ratio=difference,
        interval=interval,
        verdict=_verdict(direction),
        warnings=warnings,
    )


def _verdict(direction: int) -> Verdict:
    verdicts: dict[int, Verdict] = {1: "worse", -1: "better", 0: "same"}
    return verdicts[direction]
