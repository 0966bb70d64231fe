"""A slowed build is caught, an identical one is not, and what else a comparison says."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from asr_bench.comparison.compare import Change, Comparison, compare
from asr_bench.comparison.compare_report import to_dict, to_markdown, to_text
from asr_bench.errors import BenchError
from asr_bench.measuring.environment import Environment
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


def slowed(factor: float, *, duration: float | None = None) -> Callable[[EngineResult], Any]:
    def make(engine: EngineResult) -> Any:
        return tuple(
            dataclasses.replace(row, wall=tuple(factor * value for value in row.wall))
            if duration in (None, row.duration)
            else row
            for row in engine.latency
        )

    return make


def found(comparison: Comparison, measure: str, engine: str = OURS, where: str = "") -> Change:
    (change,) = (
        change
        for change in comparison.changes
        if (change.engine, change.measure) == (engine, measure) and change.where.startswith(where)
    )
    return change


def runs_with_regressions(simulate: Simulate, environment: Environment, **changes: Any) -> int:
    def run(seed: int, **changes: Any) -> Results:
        return simulate(environment, seed, settings=((5, 1), (30, 1), (30, 2)), **changes)

    pairs = ((run(2 * number), run(2 * number + 1, **changes)) for number in range(RUNS))
    return sum(bool(compare(before, after).regressions) for before, after in pairs)


def test_an_identical_build_is_no_regression(simulate, environment) -> None:
    assert runs_with_regressions(simulate, environment) <= 1


def test_a_build_slowed_by_a_tenth_is(simulate, environment) -> None:
    assert runs_with_regressions(simulate, environment, slower=1.1) >= RUNS - 1


def test_a_slower_machine_is_no_slower_build(simulate, environment) -> None:
    assert runs_with_regressions(simulate, environment, machine=1.08) <= 1


def test_a_faster_machine_hides_no_slower_build(simulate, environment) -> None:
    assert runs_with_regressions(simulate, environment, slower=1.1, machine=0.95) >= RUNS - 2


def test_without_controls_the_machine_is_in_every_time(quiet, simulate, environment) -> None:
    def uncontrolled(results: Results) -> Results:
        engines = tuple(engine for engine in results.engines if engine.kind != "peer")
        nothing = dataclasses.replace(results.rooflines, sgemm_gflops={}, memory_copy_gbytes={})
        return dataclasses.replace(results, engines=engines, rooflines=nothing)

    slower = simulate(environment, 2, spikes=0.0, noise=0.01, machine=1.2)
    bare = compare(uncontrolled(quiet), uncontrolled(slower))
    assert bare.machine is None
    assert bare.regressions
    assert "nothing tells how much the machine's own speed changed" in to_text(bare)
    controlled = compare(quiet, slower)
    assert controlled.machine == pytest.approx(1.2, abs=0.08)
    assert not controlled.regressions


def test_a_slowdown_of_one_setting_is_named(quiet, quiet_again) -> None:
    comparison = compare(quiet, with_engine(quiet_again, OURS, latency=slowed(1.3, duration=30)))
    slow = {
        (one.measure, one.where) for one in comparison.regressions if "together" not in one.where
    }
    assert slow == {("latency", "30 s, 1 thread"), ("latency", "30 s, 2 threads")}
    change = found(comparison, "latency", where="30 s, 1")
    assert change.ratio == pytest.approx(1.3, abs=0.05)
    assert change.interval is not None
    assert 1.05 < change.interval.low < 1.3 < change.interval.high + 0.03
    assert found(comparison, "CPU time", where="30 s, 1").verdict == "same"


def test_improvements_are_no_regressions(quiet, quiet_again) -> None:
    comparison = compare(quiet, with_engine(quiet_again, OURS, latency=slowed(0.7)))
    assert not comparison.regressions
    assert found(comparison, "latency", where="10 s, 1").verdict == "better"


def test_the_threshold(quiet, quiet_again) -> None:
    slower = with_engine(quiet_again, OURS, latency=slowed(1.1))
    assert compare(quiet, slower, 0.05).regressions
    assert not compare(quiet, slower, 0.2).regressions
    with pytest.raises(BenchError, match="threshold must be at least 0 and less than 1, not 5"):
        compare(quiet, slower, 5)


def test_noisy_rows_are_listed_but_never_count(quiet, quiet_again) -> None:
    def disturbed(engine: EngineResult) -> Any:
        return tuple(
            dataclasses.replace(row, wall=tuple(2.0 * value for value in row.wall), noisy=True)
            for row in engine.latency
        )

    comparison = compare(quiet, with_engine(quiet_again, OURS, latency=disturbed))
    assert not comparison.regressions
    assert {
        one.verdict for one in comparison.changes if one.measure == "latency" and one.engine == OURS
    } == {"noisy"}
    assert "noisy when measured" in to_text(comparison)


def busy(results: Results) -> Results:
    loaded = dataclasses.replace(results.environment, load_average=3.4)
    return dataclasses.replace(results, environment=loaded)


def more_cpu_time(engine: EngineResult) -> Any:
    return tuple(
        dataclasses.replace(row, cpu=tuple(1.3 * value for value in row.cpu))
        for row in engine.latency
    )


def test_on_a_busy_machine_the_clock_does_not_count(quiet, quiet_again) -> None:
    comparison = compare(busy(quiet), busy(with_engine(quiet_again, OURS, latency=slowed(2.0))))
    assert not comparison.regressions
    assert found(comparison, "latency", where="30 s, 1").verdict == "noisy"
    assert "load average 3.4 on 2 cores" in to_text(comparison)


def test_cpu_time_counts_if_both_runs_or_none_were_on_a_busy_machine(quiet, quiet_again) -> None:
    slower = with_engine(quiet_again, OURS, latency=more_cpu_time)
    for before, after in ((quiet, slower), (busy(quiet), busy(slower))):
        assert {one.measure for one in compare(before, after).regressions} == {"CPU time"}
    mixed = compare(quiet, busy(slower))
    assert not mixed.regressions
    change = found(mixed, "CPU time", where="30 s, 1")
    assert change.verdict == "noisy"
    assert change.warnings == ("other work kept all cores busy in one run only",)


def test_few_samples_do_not_count(quiet, quiet_again) -> None:
    def few(engine: EngineResult) -> Any:
        return tuple(
            dataclasses.replace(row, wall=row.wall[:3], cpu=row.cpu[:3])
            for row in slowed(2.0)(engine)
        )

    comparison = compare(quiet, with_engine(quiet_again, OURS, latency=few))
    assert not comparison.regressions
    assert found(comparison, "latency", where="30 s, 1").warnings == ("only 3 samples",)


def test_other_machines_are_said_first_and_their_times_do_not_count(quiet, quiet_again) -> None:
    elsewhere = dataclasses.replace(quiet.environment, cpu="Abacus 4000", memory_bytes=16 << 30)
    other = dataclasses.replace(quiet_again, environment=elsewhere)
    slower = with_engine(other, OURS, latency=slowed(2.0), model_bytes=8_000_000)
    comparison = compare(quiet, slower)
    first = to_text(comparison).splitlines()[0]
    assert first.startswith("DIFFERENT MACHINES: no time below counts")
    assert "processor: Abacus 3000, then Abacus 4000" in first
    assert "memory: 8.6 GB, then 17.2 GB" in first
    assert "DIFFERENT MACHINES" in to_markdown(comparison).splitlines()[0]
    # A file has one size everywhere.
    assert [change.measure for change in comparison.regressions] == ["model size"]
    assert found(comparison, "latency", where="30 s, 1").verdict == "noisy"


def test_memory_and_sizes(quiet, quiet_again) -> None:
    def fatter(engine: EngineResult) -> Any:
        return tuple(
            dataclasses.replace(
                row, peak_rss=round(row.peak_rss * (1.08 if row.duration == 30 else 1.04))
            )
            for row in engine.latency
        )

    comparison = compare(
        quiet, with_engine(quiet_again, OURS, latency=fatter, install_bytes=100_000_000)
    )
    assert {(one.measure, one.where) for one in comparison.regressions} == {
        ("peak memory", "30 s, 1 thread"),
        ("peak memory", "30 s, 2 threads"),
    }
    assert found(comparison, "installed size").verdict == "better"
    a_block = with_engine(
        quiet_again,
        OURS,
        latency=lambda engine: tuple(
            dataclasses.replace(row, peak_rss=row.peak_rss + 9_000_000) for row in engine.latency
        ),
    )
    assert not compare(quiet, a_block).regressions  # 9 % of the smallest
    unknown = with_engine(
        quiet_again,
        OURS,
        latency=lambda engine: tuple(
            dataclasses.replace(row, peak_rss=0) for row in engine.latency
        ),
    )
    assert not any(
        one.measure == "peak memory" and one.engine == OURS
        for one in compare(quiet, unknown).changes
    )


def test_other_projects_get_worse_on_their_own(quiet, quiet_again) -> None:
    slower = with_engine(quiet_again, PEER, latency=slowed(1.5), version="2.0")
    comparison = compare(quiet, slower)
    assert not comparison.regressions
    assert found(comparison, "latency", PEER, "30 s, 1").verdict == "worse"
    assert f"{PEER}: version 1.0, then 2.0" in comparison.notes


def test_engines_and_settings_of_one_run_only_are_named(quiet, quiet_again) -> None:
    changed = with_engine(quiet_again, OURS, latency=lambda engine: engine.latency[1:])
    gone = dataclasses.replace(
        changed,
        engines=(
            *(one for one in changed.engines if one.name not in (PEER, "vosk")),
            EngineResult(PEER, "peer", "", "", skipped="it hung"),
            dataclasses.replace(changed.engines[0], name="vosk", kind="peer"),
        ),
    )
    notes = compare(quiet, gone).notes
    assert f"{PEER}: only in the first run, skipped in the other: it hung" in notes
    assert "vosk: only in the second run, skipped in the other: vosk is not installed" in notes
    assert f"{OURS}: only in the first run: 1 s on 1" in notes


def test_nothing_in_common(quiet, quiet_again) -> None:
    others = tuple(dataclasses.replace(one, name=f"new {one.name}") for one in quiet_again.engines)
    with pytest.raises(BenchError, match="no engine in common"):
        compare(quiet, dataclasses.replace(quiet_again, engines=others))


def test_documents(quiet, quiet_again) -> None:
    comparison = compare(quiet, with_engine(quiet_again, OURS, latency=slowed(1.3)))
    lines = to_text(comparison).splitlines()
    assert lines[0].startswith(f"{len(comparison.regressions)} regressions; of ")
    header = next(index for index, line in enumerate(lines) if line.startswith("verdict"))
    assert lines[header + 1].startswith("REGRESSION")
    markdown = [line for line in to_markdown(comparison).splitlines() if line.startswith("|")]
    assert len(markdown) == 2 + len(comparison.changes)
    assert {line.count("|") for line in markdown} == {11}
    document = json.loads(json.dumps(to_dict(comparison)))
    assert document["regressions"] == len(comparison.regressions) > 0
    assert sum(change["is_regression"] for change in document["changes"]) == document["regressions"]
    assert np.isfinite([change["ratio"] for change in document["changes"]]).all()
