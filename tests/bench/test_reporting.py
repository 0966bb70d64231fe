"""The figures of a run, and the documents that show them."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from asr_bench import cli
from asr_bench.errors import BenchError
from asr_bench.measuring.environment import Environment
from asr_bench.measuring.reliability import doubts, machine_doubts
from asr_bench.reporting import write_reports
from asr_bench.reporting.document_table import BEGIN, END, write_table
from asr_bench.reporting.report import run_notes
from asr_bench.reporting.summary import summarise
from asr_bench.reporting.tables import tables
from asr_bench.results import (
    ColdStart,
    EngineResult,
    Latency,
    Results,
    Rooflines,
    Throughput,
    write_results,
)
from asr_train.errors import OutputError

OURS = "asr-run edge int8, beam"
HOSTILE = '<script>alert("x")</script> | $a_b$ & co'


@pytest.fixture(scope="module")
def run(simulate: Callable[..., Results], environment: Environment) -> Results:
    return simulate(environment, 1)


@pytest.fixture(scope="module")
def hostile(run: Results) -> Results:
    """With a name that means something in every format."""
    first, *others = run.engines
    renamed = dataclasses.replace(first, name=HOSTILE)
    return dataclasses.replace(run, engines=(renamed, *others))


@pytest.fixture(scope="module")
def folder(hostile: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    paths = write_reports(hostile, out)
    assert sorted(paths) == sorted(out.iterdir())
    return out


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


def test_figures_of_a_latency(run: Results) -> None:
    one, two, other = summarise(by_hand(run)).latency
    assert (one.median.value, one.p90, one.p95) == pytest.approx((3.0, 4.6, 4.8))
    assert one.p99 == pytest.approx(4.96)
    assert one.median.interval.low < 3 < one.median.interval.high
    assert one.real_time_factor.value == pytest.approx(0.3)
    assert one.cpu_real_time_factor == pytest.approx(0.4)
    assert one.warmup == pytest.approx(3.0)
    # 6e10 operations in 3 s of 40 GFLOP/s; 3 GB in 3 s of 10 GB/s.
    assert one.sgemm_fraction == pytest.approx(0.5)
    assert one.copy_fraction == pytest.approx(0.1)
    assert (two.sgemm_fraction, other.sgemm_fraction) == (None, None)
    assert (one.speedup, other.speedup) == (None, None)
    assert two.speedup is not None
    assert two.speedup.value == pytest.approx(2)
    assert other.ratio is not None
    # The rounds vary by a factor of 5, the ratio within a round never.
    found = other.ratio.interval
    assert (other.ratio.value, found.low, found.high) == pytest.approx((2, 2, 2))


def test_figures_of_cold_start_and_batches(run: Results) -> None:
    summary = summarise(by_hand(run))
    (start,) = summary.cold_start
    assert (start.total.value, start.imports, start.load, start.first) == (1.0, 0.5, 0.2, 0.1)
    assert start.other == pytest.approx(0.2)
    assert start.doubts == ("only 3 samples",)
    (batch,) = summary.throughput
    assert batch.rate.value == pytest.approx(20)


def test_word_error_rates(run: Results) -> None:
    row = summarise(run).engines[0]
    assert row.word_error_rate is not None
    assert row.word_error_rate.interval.low < row.word_error_rate.value
    assert row.word_error_rate.value < row.word_error_rate.interval.high
    assert row.cpu_real_time_factor == pytest.approx(3.2 / 600)
    assert summarise(by_hand(run)).engines[0].word_error_rate is None


def test_an_engine_of_which_little_is_known(run: Results, tmp_path: Path) -> None:
    bare = by_hand(run, latency=(), cold_start=(), throughput=(), model_bytes=None)
    summary = summarise(bare)
    assert [row.engine for row in summary.latency] == ["second"]
    assert summary.latency[0].ratio is None
    assert tables(bare, summary)
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
def test_doubts(samples, options, reasons) -> None:
    assert doubts(samples, **options) == reasons


def test_a_busy_machine_is_said_in_every_row(run: Results) -> None:
    assert machine_doubts(run.environment) == ()
    busy = dataclasses.replace(run.environment, load_average=3.84)
    overloaded = dataclasses.replace(run, environment=busy)
    summary = summarise(overloaded)
    for rows in (summary.latency, summary.cold_start, summary.throughput, summary.streaming):
        assert rows
        assert all("load average 3.8 on 2 cores" in row.doubts for row in rows)
    assert "OTHER WORK KEPT ALL CORES BUSY" not in run_notes(run)[0]
    assert "OTHER WORK KEPT ALL CORES BUSY" in run_notes(overloaded)[0]


def test_markdown(folder: Path) -> None:
    lines = (folder / "report.md").read_text(encoding="utf-8").splitlines()
    titles = [line for line in lines if line.startswith("## ")]
    assert titles == [
        f"## {name}"
        for name in (
            "Engines",
            "Latency",
            "Thread scaling",
            "Cold start",
            "Throughput",
            "Streams",
            "Rooflines",
            "Not measured",
            "Plots",
        )
    ]
    tables = "\n".join(lines).split("## ")[1:-1]
    for table in tables:
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len(rows) > 2
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert not any("<script" in line for line in lines)
    assert sum("&lt;script>" in line for line in lines) > 10
    pictures = re.findall(r"!\[.+\]\((.+)\)", "\n".join(lines))
    assert len(pictures) == 4
    assert all((folder / picture).exists() for picture in pictures)


def test_plots(folder: Path) -> None:
    names = ("latency", "real-time-factor", "memory", "word-error-rate")
    for name in names:
        root = ElementTree.parse(folder / f"{name}.svg").getroot()
        assert root.tag.endswith("svg")
        assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}path")) > 30


def test_the_same_results_give_the_same_files(
    hostile: Results, folder: Path, tmp_path: Path
) -> None:
    for path in write_reports(hostile, tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes()


class Page(HTMLParser):
    """Open elements, texts, and what a browser would fetch."""

    EMPTY = ("meta", "img", "br", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.sources: list[str] = []
        self.counts: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes += attrs
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open and self.open[-1] == "script" else self.texts).append(data)


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    parsed = Page()
    parsed.feed((folder / "report.html").read_text(encoding="utf-8"))
    parsed.close()
    return parsed


def test_the_page_is_whole_and_needs_nothing_else(page: Page, folder: Path) -> None:
    assert page.open == []
    assert page.counts["table"] == 8
    assert page.counts["img"] == 4
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert "link" not in page.counts
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "@import" not in text
    assert "url(" not in text


def test_names_are_texts_and_nothing_more(page: Page) -> None:
    assert page.counts["script"] == 1
    assert HOSTILE in page.texts
    assert not any("alert" in script for script in page.scripts)


def test_tables_can_be_sorted(page: Page) -> None:
    (script,) = page.scripts
    assert "addEventListener" in script
    assert page.counts["button"] == page.counts["th"]
    orders = [value for name, value in page.attributes if name == "data-order"]
    assert len(orders) == page.counts["td"]
    assert HOSTILE in orders


def document(folder: Path, text: str) -> Path:
    path = folder / "README.md"
    path.write_bytes(text.encode())
    return path


def test_a_table_in_a_document(run: Results, tmp_path: Path) -> None:
    path = document(tmp_path, f"# Title\n\n{BEGIN}\nold\n{END}\n\nlast line without end")
    write_table(run, path)
    once = path.read_bytes()
    text = once.decode()
    assert text.startswith(f"# Title\n\n{BEGIN}\n| engine |")
    assert text.endswith(f"\n{END}\n\nlast line without end")
    assert "\nold\n" not in text
    assert text.count(f"| {OURS} |") == 1
    assert "- Abacus 3000, 2 logical cores" in text
    write_table(run, path)
    assert path.read_bytes() == once


def test_line_ends_are_kept(run: Results, tmp_path: Path) -> None:
    path = document(tmp_path, f"# Title\r\n{BEGIN}\r\n{END}\r\nend\r\n")
    write_table(run, path)
    text = path.read_bytes().decode()
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        f"{BEGIN}\n",
        f"{END}\n",
        f"{END}\n{BEGIN}\n",
        f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n",
        f"{BEGIN}\n{BEGIN}\n{END}\n",
    ],
)
def test_a_document_without_its_markers_is_left_alone(run: Results, tmp_path, text) -> None:
    path = document(tmp_path, text)
    with pytest.raises(BenchError, match="put one line <!-- benchmark table: begin -->"):
        write_table(run, path)
    assert path.read_text() == text


def test_the_command(monkeypatch, run: Results, tmp_path: Path, capsys) -> None:
    def asr_bench(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["asr-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    write_results(run, tmp_path / "results.json")
    path = document(tmp_path, f"{BEGIN}\n{END}\n")
    assert asr_bench("table", tmp_path / "results.json", "--into", path) == 0
    assert OURS in path.read_text(encoding="utf-8")
    path.write_text("nothing")
    assert asr_bench("table", tmp_path / "results.json", "--into", path) == 1
    assert asr_bench("table", tmp_path / "results.json", "--into", tmp_path / "none.md") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "put one line" in lines[0]
    assert "none.md: cannot be read" in lines[1]


def test_a_folder_that_is_missing(run: Results, tmp_path: Path) -> None:
    nothing = dataclasses.replace(run, engines=())
    with pytest.raises(OutputError, match="does not exist"):
        write_reports(nothing, tmp_path / "missing")
