"""Word error rates of two runs, compared recording by recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from asr_bench.comparison.compare import Change, Comparison, compare
from asr_bench.results import EngineResult, Results

OURS, PEER = "asr-run edge int8, beam", "faster-whisper tiny.en"
RUNS = 6

Simulate = Callable[..., Results]


def with_engine(results: Results, name: str, **changes: Any) -> Results:
    """Fields of one engine replaced; a callable makes them from the engine."""
    engines = []
    for engine in results.engines:
        if engine.name == name:
            made = {key: new(engine) if callable(new) else new for key, new in changes.items()}
            engine = dataclasses.replace(engine, **made)
        engines.append(engine)
    return dataclasses.replace(results, engines=tuple(engines))


def found(comparison: Comparison, measure: str, engine: str = OURS, where: str = "") -> Change:
    (change,) = (
        change
        for change in comparison.changes
        if (change.engine, change.measure) == (engine, measure) and change.where.startswith(where)
    )
    return change


def rewritten(errors: Callable[[int, int], int], count: int = 60) -> Callable[[EngineResult], Any]:
    """Word errors by recording number and those before."""

    def make(engine: EngineResult) -> Any:
        assert engine.accuracy is not None
        pairs = tuple(
            (errors(index, wrong), words)
            for index, (wrong, words) in enumerate(engine.accuracy.per_recording[:count])
        )
        wrong, words = (sum(pair[index] for pair in pairs) for index in (0, 1))
        return dataclasses.replace(
            engine.accuracy,
            word_error_rate=wrong / words,
            errors=wrong,
            words=words,
            per_recording=pairs,
        )

    return make


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        (lambda index, wrong: wrong, "same"),
        (lambda index, wrong: wrong + (index == 7), "same"),  # one word of 800
        (
            lambda index, wrong: max(0, wrong + (-1) ** index),
            "same",
        ),  # other words, no more of them
        (lambda index, wrong: wrong + (index % 4 == 0), "worse"),
        (lambda index, wrong: max(0, wrong - 1), "better"),
    ],
)
def test_words_are_compared_recording_by_recording(quiet, quiet_again, errors, verdict) -> None:
    comparison = compare(quiet, with_engine(quiet_again, OURS, accuracy=rewritten(errors)))
    change = found(comparison, "word error rate")
    assert change.verdict == verdict
    assert change.interval is not None
    assert change.ratio == pytest.approx(change.after - change.before)
    assert bool(comparison.regressions) == (verdict == "worse")


@pytest.mark.parametrize(("more", "verdict"), [(1, "worse"), (0, "same")])
def test_words_of_other_recordings_are_compared_as_a_whole(
    quiet, quiet_again, more, verdict
) -> None:
    old = with_engine(quiet, OURS, accuracy=rewritten(lambda index, wrong: 2))
    new = with_engine(
        quiet_again, OURS, accuracy=rewritten(lambda index, wrong: 2 + more, count=59)
    )
    change = found(compare(old, new), "word error rate")
    assert change.interval is None
    assert change.verdict == verdict
    assert change.warnings == ("other recordings, so compared as a whole",)
