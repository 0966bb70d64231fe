"""Every command line in the documents still works, and every published figure is still made."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import typer

from asr_bench.cli import app
from asr_bench.comparison.compare import compare
from asr_bench.comparison.compare_report import to_text
from asr_bench.long_form.long_command import LongRow, long_table
from asr_bench.measuring.environment import Environment
from asr_bench.profiling.operator_profile import OperatorTime
from asr_bench.profiling.profile_command import operator_table
from asr_bench.reporting.run_tables import tables
from asr_bench.results import Deviation, ModelInfo, Results, Rooflines

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    *("README.md", "CONTRIBUTING.md", "benchmarks/results/README.md", "docs/benchmarks.md"),
    *("docs/export-forms.md", "docs/live.md", "docs/raspberry-pi.md", "docs/cuda.md"),
)

#: As the documents and the results had them before the commands became presets of one.
EARLIER = (
    "latency runs/edge/best --json latency.json --markdown latency.md",
    "latency --preset base --rounds 5 --warmup 1 --json base.json --markdown base.md",
    "latency --preset edge --preset base --duration 1 --duration 5 --threads 1 --threads 2",
    "precision runs/edge/best --manifest dev.jsonl",
    "precision --preset base --rounds 5 --warmup 1 --json p.json --markdown p.md",
    "precision train/checkpoints/edge --manifest dev.jsonl --seconds 30",
    "streaming --manifest dev.jsonl --json streaming.json --markdown streaming.md",
    "streaming --manifest a --manifest b --model m --chunk-ms 320 --lookahead-ms 180 --every 8",
    "run --manifest dev.jsonl --out results",
    "run --model edge --manifest dev.jsonl --engine faster-whisper --engine pocketsphinx "
    "--duration 5 --threads 1 --rounds 3 --warmup 1 --time-limit 1200 --out results",
    "run --quick --out runs/bench --peer-model vosk=path/to/model",
    "compare before/results.json after/results.json --threshold 0.1 --json c.json --markdown c.md",
    "table results.json --into README.md",
    "report results.json --into README.md",
    "profile base.onnx --seconds 10 --rounds 5 --warmup 1 --threads 1 --json p.json --markdown p",
    "long --manifest dev.jsonl --threads 2 --hours 1 --decoder beam --seed 1 --json l --markdown m",
    "hotwords --manifest dev.jsonl --voices 2 --seed 1 --json h.json",
    "fuzz --models 1000 --audio 1000 --language-models 500 --seed 7 --workers 2 --seconds 60 "
    "--findings f --json fuzz.json",
)

#: The figures of the documents by the command that makes them: words of a table's header.
RUN_FIGURES = {
    "Engines": "WER %, 95 %, RTF, CPU RTF, cold start s, peak MB, GPU peak MB, model MB, "
    "installed MB, reliability",
    "Latency": "median ms, min ms, p90 ms, p95 ms, p99 ms, RTF, CPU RTF, / first, warm-up, "
    "peak MB, GFLOP/s, % of sgemm, % of copy, reliability",
    "Thread scaling": "speed-up",
    "Cold start": "total s, Python s, import s, load s, first s",
    "Throughput": "audio s / s, p95 ms",
    "Streams": "latency ms, WER %, over whole %, computing ms, p95 ms, % of chunk, end ms, "
    "end p95 ms, reliability",
    "Formats": "file MB, size / first, RTF, time / first, peak MB, WER %, same texts %, max |d|, "
    "mean |d|, reliability",
    "Models": "parameters M, GFLOP / audio s",
    "Rooflines": "sgemm GFLOP/s, sgemm torch GFLOP/s, sgemm onnxruntime GFLOP/s, memory copy GB/s",
}


def in_documents() -> list[str]:
    """Arguments of every command line in the documents, without comments."""
    found = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        for line in re.findall(r"(?:^ *|`)asr-bench ([^`\n]+)", text, re.MULTILINE):
            found.append(line.partition("#")[0].replace("--json …", "--json j").strip())
    assert len(found) > 20
    return [line.replace("--markdown …", "--markdown m").replace("…", "x") for line in found]


@pytest.mark.parametrize("line", [*EARLIER, *in_documents()])
def test_a_command_line_is_understood(line: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    name, *arguments = shlex.split(line)
    command = group.commands[name]  # type: ignore[attr-defined]
    if not arguments and any(one.required for one in command.params):
        return  # the command's name alone, in a sentence
    command.make_context(name, list(arguments))


@pytest.fixture(scope="module")
def everything(simulate: Callable[..., Results], environment: Environment) -> Results:
    """A run in which everything was measured."""
    run = simulate(environment, 1)
    engines = []
    for engine in run.engines:
        latency = tuple(dataclasses.replace(row, peak_gpu_memory=1) for row in engine.latency)
        words = engine.accuracy.per_recording if engine.accuracy else ()
        streaming = tuple(
            dataclasses.replace(row, latency=0.96, per_recording=words) for row in engine.streaming
        )
        deviation = None if engine.skipped else Deviation("x", 60, 0.5, 0.1, 0.9)
        changes = {"latency": latency, "streaming": streaming, "deviation": deviation}
        engines.append(dataclasses.replace(engine, **changes))
    rates = run.rooflines.sgemm_gflops
    by_library = {"sgemm torch": rates, "sgemm onnxruntime": rates}
    return dataclasses.replace(
        run,
        engines=tuple(engines),
        rooflines=Rooflines(rates, run.rooflines.memory_copy_gbytes, by_library),
        models=(ModelInfo("edge", 3_820_000, "0" * 64, 4.2e8),),
    )


@pytest.mark.parametrize("name", RUN_FIGURES)
def test_a_run_and_its_presets_make_the_published_figures(name: str, everything: Results) -> None:
    shown = {one.name: one for one in tables(everything)}[name]
    missing = set(RUN_FIGURES[name].split(", ")) - set(shown.header)
    assert not missing


def test_other_commands_make_the_published_figures(everything: Results) -> None:
    profile = operator_table("edge.onnx", 30.0, 1, [OperatorTime("GRU", 3, (0.1, 0.1))])
    assert profile.header == ("operator", "nodes", "ms", "% of all")
    long = long_table([LongRow(40.0, 4, 0.8, 1.0, 10**8, 0.3, 0.3)], ["--threads", "2"], 1)
    assert long.header == (
        *("audio", "clips", "s", "RTF", "CPU s / audio s", "peak MiB", "over first", "WER %"),
        "alone %",
    )
    assert "0 regressions" in to_text(compare(everything, everything))
