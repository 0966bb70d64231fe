"""The file that a run leaves: what goes in comes out, and what is damaged is said to be."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asr_bench.errors import BenchError
from asr_bench.measuring.environment import Environment
from asr_bench.results import (
    Accuracy,
    ColdStart,
    EngineResult,
    Latency,
    Results,
    Rooflines,
    Settings,
    Streaming,
    Throughput,
)
from asr_bench.results_file import read_complete_results, read_results, write_results


@pytest.fixture
def results(environment: Environment) -> Results:
    measured = EngineResult(
        name="asr-run edge int8, beam",
        kind="runtime",
        model="edge",
        version="0.1.0",
        model_bytes=12_000_000,
        install_bytes=188_000_000,
        operations_per_second_of_audio=2.5e8,
        cold_start=(ColdStart(import_=0.1, load=0.2, first=0.05, total=0.4),),
        latency=(Latency(5.0, 1, (0.02, 0.03), (0.02, 0.02), (0.5,), 100_000_000, False),),
        throughput=(Throughput(8, 2, 5.0, (0.1, 0.2)),),
        streaming=(Streaming(640, 320, (0.001, 0.002), (0.01,)),),
        accuracy=Accuracy(0.25, 3, 12, 0.2, 0.3, 9.0, ((1, 4), (2, 8))),
    )
    skipped = EngineResult(
        name="vosk", kind="peer", model="", version="", skipped="vosk is not installed"
    )
    return Results(
        environment=dataclasses.replace(environment, memory_bytes=8 << 30),
        settings=Settings((5.0,), (1,), (8,), 2, 1, True, 2, 9.0, "plain"),
        rooflines=Rooflines({1: (60.0, 61.0), 2: (100.0, 101.0)}, {1: (8.0, 9.0), 2: (9.0, 9.5)}),
        engines=(measured, skipped),
        done=("cold start", "latency, 1 thread"),
    )


@pytest.fixture
def path(results: Results, tmp_path: Path) -> Path:
    file = tmp_path / "results.json"
    write_results(results, file)
    return file


def test_round_trip(results: Results, path: Path) -> None:
    assert read_results(path) == results


def test_the_keys_are_those_of_the_format(path: Path) -> None:
    document = json.loads(path.read_text())
    assert set(document) == {
        *("format_version", "environment", "settings", "rooflines", "engines"),
        *("complete", "done", "models"),
    }
    assert document["rooflines"]["sgemm_gflops"]["2"] == [100.0, 101.0]
    engine = document["engines"][0]
    assert engine["cold_start"] == [{"import": 0.1, "load": 0.2, "first": 0.05, "total": 0.4}]
    assert engine["accuracy"]["per_recording"] == [[1, 4], [2, 8]]


def test_a_file_of_an_earlier_version(results: Results, path: Path) -> None:
    document = json.loads(path.read_text())
    del document["complete"], document["done"], document["models"]
    del document["settings"]["task"], document["rooflines"]["sgemm_by_library"]
    del document["engines"][0]["deviation"]
    del document["engines"][0]["streaming"][0]["latency"]
    del document["engines"][0]["streaming"][0]["per_recording"]
    del document["engines"][0]["latency"][0]["peak_gpu_memory"]
    path.write_text(json.dumps(document))
    assert read_complete_results(path) == dataclasses.replace(results, done=())


def test_only_a_run_that_ended_is_complete(results: Results, path: Path) -> None:
    assert read_complete_results(path) == results
    interrupted = dataclasses.replace(results, complete=False, done=("cold start",))
    write_results(interrupted, path)
    assert read_results(path) == interrupted
    with pytest.raises(BenchError, match=r"results\.json: of a run that was interrupted or still"):
        read_complete_results(path)


def test_whole_numbers_are_seconds_too_and_unknown_keys_do_not_matter(path: Path) -> None:
    document = json.loads(path.read_text())
    document["engines"][0]["latency"][0]["duration"] = 5
    document["engines"][0]["colour"] = "red"
    path.write_text(json.dumps(document))
    assert read_results(path).engines[0].latency[0].duration == 5.0


def _latency(document: Any) -> Any:
    return document["engines"][0]["latency"][0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.pop("engines"), "engines is missing"),
        (lambda d: d.update(engines={}), "engines should be a list, not {}"),
        (lambda d: d.update(format_version=2), "of format version 2, and this program reads 1"),
        (lambda d: d.pop("format_version"), "no format_version"),
        (lambda d: d["settings"].update(rounds=2.5), "settings.rounds should be a whole number"),
        (lambda d: d["settings"].update(quick=1), "settings.quick should be true or false, not 1"),
        (
            lambda d: _latency(d)["wall"].append("x"),
            "engines[0].latency[0].wall[2] should be a finite number, not 'x'",
        ),
        (lambda d: _latency(d)["wall"].__setitem__(0, float("nan")), "finite number, not nan"),
        (lambda d: _latency(d)["wall"].__setitem__(0, True), "finite number, not True"),
        (lambda d: _latency(d)["wall"].pop(), "has 1 wall and 2 CPU times"),
        (lambda d: _latency(d)["wall"].__setitem__(0, -1), "a time below 0"),
        (lambda d: d["engines"][0].update(kind="friend"), "kind should be runtime or backend"),
        (lambda d: d["engines"][0].update(skipped="no"), "was skipped, but has measurements"),
        (lambda d: d["engines"][1].update(name=d["engines"][0]["name"]), "is there twice"),
        (lambda d: d["engines"][0]["accuracy"].update(errors=4), "word errors are not those"),
        (
            lambda d: d["engines"][0]["accuracy"]["per_recording"].append([1]),
            "per_recording[2] should hold 2 values, not 1",
        ),
        (lambda d: d["rooflines"]["sgemm_gflops"].update(many=[]), "keys of rooflines.sgemm"),
    ],
)
def test_damaged(path: Path, damage: Callable[[Any], object], message: str) -> None:
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(BenchError) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b'{"format_version": 1,', b"[]", b"\xff\xfe", b"[" * 99999]
)
def test_no_results_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(BenchError, match=r"give (a|the) results\.json"):
        read_results(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be read"):
        read_results(tmp_path / "results.json")
