"""The figures of a run, and the documents that show them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asr_bench.measuring.environment import Environment
from asr_bench.measuring.reliability import machine_warnings, reliability_warnings
from asr_bench.reporting import run_tables, write_reports
from asr_bench.reporting.figures import word_error_rate
from asr_bench.reporting.report import run_notes
from asr_bench.reporting.table import Table
from asr_bench.results import (
    Accuracy,
    ColdStart,
    Deviation,
    EngineResult,
    Latency,
    ModelInfo,
    Results,
    Rooflines,
    Streaming,
    Throughput,
)


@pytest.fixture(scope="module")
def run(simulate: Callable[..., Results], environment: Environment) -> Results:
    return simulate(environment, 1)


def by_hand(run: Results, **changes: Any) -> Results:
    """One engine whose figures are known, and one that takes twice as long."""

    def latency(factor: float, threads: int) -> Latency:
        wall = tuple(factor * value / threads for value in (1.0, 2.0, 3.0, 4.0, 5.0))
        return Latency(10.0, threads, wall, (4.0,) * 5, (9.0, 3.0), 150_000_000, False)

    first = EngineResult(
        name="first",
        kind="runtime",
        model="edge",
        version="1",
        model_bytes=3_000_000_000,
        operations_per_second_of_audio=6e9,
        cold_start=tuple(ColdStart(0.5, 0.2, 0.1, total) for total in (1.0, 0.9, 1.1)),
        latency=(latency(1, 1), latency(1, 2)),
        throughput=(Throughput(4, 1, 10.0, (2.0,) * 5),),
    )
    second = EngineResult("second", "backend", "edge", "1", latency=(latency(2, 1),))
    changed = dataclasses.replace(first, **changes)
    return dataclasses.replace(
        run,
        rooflines=Rooflines({1: (50.0, 40.0, 30.0)}, {1: (10.0, 10.0)}),
        engines=(changed, second),
    )


def figures(shown: Table, name: str, column: str) -> Any:
    """Values in the row of an engine under the first column of that name."""
    engines = [cell.text for cell in shown.column("engine")]
    return shown.column(column)[engines.index(name)].order


def test_figures_of_a_latency(run: Results) -> None:
    shown = run_tables.latency(by_hand(run))
    assert [cell.order for cell in shown.column("median ms")] == pytest.approx([3.0, 1.5, 6.0])
    assert figures(shown, "first", "min ms") == 1.0
    assert figures(shown, "first", "p90 ms") == pytest.approx(4.6)
    assert figures(shown, "first", "p95 ms") == pytest.approx(4.8)
    assert figures(shown, "first", "p99 ms") == pytest.approx(4.96)
    assert figures(shown, "first", "RTF") == pytest.approx(0.3)
    assert figures(shown, "first", "CPU RTF") == pytest.approx(0.4)
    assert figures(shown, "first", "warm-up") == pytest.approx(3.0)
    # 6e10 operations in 3 s of 40 GFLOP/s; 3 GB in 3 s of 10 GB/s.
    assert figures(shown, "first", "GFLOP/s") == pytest.approx(20)
    assert [cell.order for cell in shown.column("% of sgemm")] == [pytest.approx(0.5), None, None]
    assert figures(shown, "first", "% of copy") == pytest.approx(0.1)
    # The rounds vary by a factor of 5, the ratio within a round never.
    assert figures(shown, "second", "/ first") == pytest.approx(2)
    place = shown.header.index("/ first")
    assert shown.rows[2][place + 1].text == "2.00 to 2.00"
    one, _, _ = shown.rows
    low, _, high = one[shown.header.index("median ms") + 1].text.partition(" to ")
    assert float(low) < 3000 < float(high)
    (scaled,) = run_tables.scaling(by_hand(run)).rows
    assert (scaled[0].text, scaled[2].text, scaled[3].order) == ("first", "2", pytest.approx(2))


def test_figures_of_cold_start_and_batches(run: Results) -> None:
    start = run_tables.cold_start(by_hand(run))
    parts = [figures(start, "first", name) for name in ("total s", "import s", "load s", "first s")]
    assert parts == [1.0, 0.5, 0.2, 0.1]
    assert figures(start, "first", "Python s") == pytest.approx(0.2)
    assert figures(start, "first", "reliability") == "only 3 samples"
    assert figures(run_tables.throughput(by_hand(run)), "first", "audio s / s") == 20


def test_figures_of_formats(run: Results) -> None:
    same = Deviation("second", 40, 0.0, 0.0, 1.0)
    far = Deviation("second", 40, 0.5, 0.02, 0.975)
    results = by_hand(run, deviation=same)
    first, second = results.engines
    half = dataclasses.replace(second, deviation=far, model_bytes=1_500_000_000)
    shown = run_tables.formats(dataclasses.replace(results, engines=(first, half)))
    assert figures(shown, "second", "file MB") == 1.5e9
    assert figures(shown, "second", "size / first") == 0.5
    assert figures(shown, "second", "time / first") == pytest.approx(2)
    assert figures(shown, "first", "peak MB") == 150e6
    assert figures(shown, "second", "same texts %") == 0.975
    texts = shown.texts()[2]
    assert tuple(texts[-3:-1]) == ("5.0e-01", "2.0e-02")
    assert any("on 40 recordings" in note for note in shown.notes)


def test_figures_of_streams(run: Results) -> None:
    words = ((1, 10), (2, 10))
    stream = Streaming(640, 320, (0.01,) * 6, (0.004,) * 6, 0.96, words)
    whole = Accuracy(0.1, 2, 20, 1.0, 1.0, 9.0, ((1, 10), (1, 10)))
    shown = run_tables.streaming(by_hand(run, streaming=(stream,), accuracy=whole))
    assert figures(shown, "first", "latency ms") == 0.96
    assert figures(shown, "first", "WER %") == pytest.approx(0.15)
    assert figures(shown, "first", "over whole %") == pytest.approx(0.5)
    assert figures(shown, "first", "% of chunk") == pytest.approx(10 / 640)
    assert figures(shown, "first", "end ms") == 0.004
    # A run streams some of its recordings only: those are not compared with all.
    fewer = dataclasses.replace(stream, per_recording=words[:1])
    shown = run_tables.streaming(by_hand(run, streaming=(fewer,), accuracy=whole))
    assert "over whole %" not in shown.header


def test_models_and_rooflines(run: Results) -> None:
    info = ModelInfo("base", 24_750_000, None, 5.11e9)
    rates = Rooflines({1: (2.0, 3.0)}, {1: (9.0,)}, {"sgemm torch": {1: (2.0, 1.0)}})
    results = dataclasses.replace(run, models=(info,), rooflines=rates)
    assert run_tables.models(results).texts()[1] == ["base", "random", "24.75", "5.11"]
    header, row = run_tables.rooflines(results).texts()
    assert dict(zip(header, row, strict=True)) == {
        "threads": "1",
        "sgemm GFLOP/s": "2.5",
        "sgemm torch GFLOP/s": "1.5",
        "memory copy GB/s": "9.0",
    }


def test_word_error_rates(run: Results) -> None:
    rate = word_error_rate(run.engines[0])
    assert rate is not None
    assert rate.interval.low < rate.value < rate.interval.high
    assert word_error_rate(by_hand(run).engines[0]) is None


def test_an_engine_of_which_little_is_known(run: Results, tmp_path: Path) -> None:
    bare = by_hand(run, latency=(), cold_start=(), throughput=(), model_bytes=None)
    shown = run_tables.latency(bare)
    assert [cell.text for cell in shown.column("engine")] == ["second"]
    assert "/ first" not in shown.header
    assert run_tables.tables(bare)
    nothing = dataclasses.replace(run, engines=run.engines[-1:], rooflines=Rooflines({}, {}))
    assert {path.name for path in write_reports(nothing, tmp_path)} == {"report.md", "report.html"}
    assert "vosk is not installed" in (tmp_path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("samples", "options", "reasons"),
    [
        ([1.0] * 5, {}, ()),
        ([1.0] * 4, {}, ("only 4 samples",)),
        ([1.0], {}, ("1 sample",)),
        ([1.0] * 9 + [9.0], {}, ("p95 is 5.4 medians, above 1.5",)),
        ([1.0] * 9 + [9.0], {"alike": False}, ()),
        ([1.0] * 5, {"marked": True}, ("noisy when measured",)),
        ([1.0] * 3, {"marked": True}, ("only 3 samples",)),
    ],
)
def test_reliability_warnings(samples, options, reasons) -> None:
    assert reliability_warnings(samples, **options) == reasons


def test_a_busy_machine_is_said_in_every_row(run: Results) -> None:
    assert machine_warnings(run.environment) == ()
    busy = dataclasses.replace(run.environment, load_average=3.84)
    overloaded = dataclasses.replace(run, environment=busy)
    for make in (
        run_tables.latency,
        run_tables.cold_start,
        run_tables.throughput,
        run_tables.streaming,
    ):
        warnings = make(overloaded).column("reliability")
        assert warnings
        assert all("load average 3.8 on 2 cores" in cell.text for cell in warnings)
    assert "OTHER WORK KEPT ALL CORES BUSY" not in run_notes(run)[0]
    assert "OTHER WORK KEPT ALL CORES BUSY" in run_notes(overloaded)[0]
