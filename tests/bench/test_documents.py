"""The documents that show a run: Markdown, a page, plots, a table in another document."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from asr_bench import cli
from asr_bench.errors import BenchError
from asr_bench.measuring.environment import Environment
from asr_bench.reporting import write_reports
from asr_bench.reporting.report import BEGIN, END, write_into
from asr_bench.results import Results
from asr_bench.results_file import write_results
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
        assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}path")) > 20
        texts = [part.text or "" for part in root.iter("{http://www.w3.org/2000/svg}text")]
        assert any("torch eager edge" in text for text in texts)  # letters, not their outlines


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
    write_into(run, path)
    once = path.read_bytes()
    text = once.decode()
    assert text.startswith(f"# Title\n\n{BEGIN}\n| engine |")
    assert text.endswith(f"\n{END}\n\nlast line without end")
    assert "\nold\n" not in text
    assert text.count(f"| {OURS} |") == 1
    assert "- Abacus 3000, 2 logical cores" in text
    write_into(run, path)
    assert path.read_bytes() == once


def test_line_ends_are_kept(run: Results, tmp_path: Path) -> None:
    path = document(tmp_path, f"# Title\r\n{BEGIN}\r\n{END}\r\nend\r\n")
    write_into(run, path)
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
        write_into(run, path)
    assert path.read_text() == text


def test_the_command(monkeypatch, run: Results, tmp_path: Path, capsys) -> None:
    def asr_bench(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["asr-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    write_results(run, tmp_path / "results.json")
    path = document(tmp_path, f"{BEGIN}\n{END}\n")
    for command in ("report", "table"):  # its name before
        path.write_text(f"{BEGIN}\n{END}\n")
        assert asr_bench(command, tmp_path / "results.json", "--into", path) == 0
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
