"""The presets of a run: real exports, real processes, real clock, on a tiny model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from asr_bench import cli, exporting
from asr_bench.engines import registry
from asr_bench.results import Results
from asr_bench.results_file import read_results, write_results
from asr_export import ExportOptions
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.config import PRESETS, ModelConfig

CommandLine = Callable[..., tuple[int, str, str]]
TEXTS = ["cab bead deaf fade", "cafe face"]


@pytest.fixture
def quick_export(monkeypatch: pytest.MonkeyPatch, export_tiny: Callable[..., Path]) -> None:
    """Have the tiny checkpoint's files copied, not made again."""

    def copied(_: Checkpoint, path: Path, options: ExportOptions) -> None:
        shutil.copyfile(export_tiny(path.name, options.precision.value), path)

    monkeypatch.setattr("asr_export.export", copied)


def read(path: Path) -> Results:
    results = read_results(path)
    assert results.complete
    return results


def test_latency(
    tiny_checkpoint: Path, tmp_path: Path, run_command_line: CommandLine, quick_export: None
) -> None:
    outputs = ("--json", tmp_path / "l.json", "--markdown", tmp_path / "l.md")
    numbers = ("--duration", 0.2, "--duration", 0.1, "--threads", 1, "--rounds", 2, "--warmup", 1)
    code, out, _ = run_command_line(cli.main, "latency", tiny_checkpoint, *numbers, *outputs)
    assert code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"l.json", "l.md"}
    results = read(tmp_path / "l.json")
    assert [engine.name for engine in results.engines] == [
        *("torch eager tiny", "TorchScript tiny", "ONNX Runtime tiny fp32")
    ]
    for engine in results.engines:
        assert [(row.duration, row.threads) for row in engine.latency] == [(0.1, 1), (0.2, 1)]
        assert all(len(row.wall) == 2 and min(row.wall) > 0 for row in engine.latency)
        assert (engine.cold_start, engine.throughput, engine.accuracy) == ((), (), None)
    assert results.settings.task == "log_probs"
    assert set(results.rooflines.sgemm_by_library) == {"sgemm torch", "sgemm onnxruntime"}
    (model,) = results.models
    assert model.checkpoint_sha256
    assert model.parameters
    assert "of the network without decoding" in out
    report = (tmp_path / "l.md").read_text(encoding="utf-8")
    assert report.count("| ONNX Runtime tiny fp32 | 0.") == 2


def test_a_wrong_model_is_never_timed(
    tiny_checkpoint: Path,
    tmp_path: Path,
    run_command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from asr_export.errors import ParityError

    def differs(*_: object, **__: object) -> None:
        raise ParityError("log-probabilities differ\nby much")

    monkeypatch.setattr("asr_export.export", differs)
    arguments = ("--engine", "ONNX Runtime", "--engine", "eager", "--json", tmp_path / "l.json")
    numbers = ("--duration", 0.1, "--threads", 1, "--rounds", 1, "--warmup", 0)
    code, out, _ = run_command_line(cli.main, "latency", tiny_checkpoint, *numbers, *arguments)
    assert code == 0
    eager, wrong = read(tmp_path / "l.json").engines
    assert eager.latency
    assert (wrong.skipped, wrong.latency) == (
        *("cannot be exported: log-probabilities differ", ()),
    )
    assert "cannot be exported" in out


def test_precision(
    tiny_checkpoint: Path,
    tmp_path: Path,
    run_command_line: CommandLine,
    write_manifest: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    quick_export: None,
) -> None:
    rows = registry.FORMAT_ENGINES
    monkeypatch.setattr(registry, "FORMAT_ENGINES", (rows[5], rows[2], rows[-1]))
    arguments = ("--manifest", write_manifest(["the cat", "so it is", "who"]))
    numbers = ("--seconds", 0.3, "--rounds", 3, "--warmup", 1)
    outputs = ("--json", tmp_path / "p.json", "--markdown", tmp_path / "p.md")
    code, out, _ = run_command_line(
        cli.main, "precision", tiny_checkpoint, *arguments, *numbers, *outputs
    )
    assert code == 0
    script, int8, eager = read(tmp_path / "p.json").engines
    assert (script.name, int8.name) == ("TorchScript tiny fp32", "ONNX tiny int8")
    assert script.model_bytes is not None
    assert int8.model_bytes is not None
    assert int8.model_bytes < script.model_bytes
    # Only the one process holds PyTorch.
    assert script.latency[0].peak_rss > int8.latency[0].peak_rss + 50e6
    for engine in (script, int8, eager):
        assert len(engine.latency[0].wall) == 3
        assert engine.accuracy is not None
        assert engine.deviation is not None
        assert (engine.deviation.reference, engine.deviation.recordings) == (eager.name, 3)
    assert script.deviation is not None
    assert int8.deviation is not None
    assert script.deviation.max_difference < 1e-4 < int8.deviation.max_difference
    assert int8.deviation.mean_difference < int8.deviation.max_difference
    assert script.deviation.same_texts == 1
    assert script.accuracy is not None
    assert eager.accuracy is not None
    assert script.accuracy.per_recording == eager.accuracy.per_recording
    assert "max |d|" in out
    assert "on 3 recordings" in (tmp_path / "p.md").read_text(encoding="utf-8")


def test_random_weights_have_no_words(
    tiny_config: ModelConfig,
    tmp_path: Path,
    run_command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = registry.FORMAT_ENGINES
    monkeypatch.setattr(registry, "FORMAT_ENGINES", (rows[5], rows[-1]))
    monkeypatch.setitem(PRESETS, "small", tiny_config)
    numbers = ("--seconds", 0.2, "--rounds", 1, "--warmup", 0, "--json", tmp_path / "p.json")
    code, out, _ = run_command_line(cli.main, "precision", "--preset", "small", *numbers)
    assert code == 0
    results = read(tmp_path / "p.json")
    script = results.engines[0]
    assert script.deviation is not None
    assert (script.accuracy, script.deviation.same_texts) == (None, None)
    assert results.models[0].checkpoint_sha256 is None
    assert "on a generated signal" in out
    assert "random" in out


def test_random_weights_are_always_the_same(
    monkeypatch: pytest.MonkeyPatch, tiny_config: ModelConfig
) -> None:
    monkeypatch.setitem(PRESETS, "small", tiny_config)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = exporting.random_checkpoint("small")
    assert torch.equal(torch.rand(1), expected)  # the caller's random numbers are left alone
    second = exporting.random_checkpoint("small")
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_streaming(
    streaming_model: Path,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
    run_command_line: CommandLine,
) -> None:
    arguments = ("--manifest", write_manifest(TEXTS), "--model", streaming_model)
    settings = ("--chunk-ms", 300, "--chunk-ms", 90, "--lookahead-ms", 60, "--lookahead-ms", 6000)
    code, out, _ = run_command_line(
        cli.main, "streaming", *arguments, *settings, "--json", tmp_path / "s.json"
    )
    assert code == 0
    results = read(tmp_path / "s.json")
    beam, greedy = results.engines
    assert (beam.name, greedy.name) == ("asr-run tiny fp32, beam", "asr-run tiny fp32, greedy")
    assert results.settings.recordings == 2
    for engine in (beam, greedy):
        assert engine.accuracy is not None
        assert len(engine.streaming) == 4
        first, limit, *_ = engine.streaming
        assert (first.chunk_ms, first.lookahead_ms) == (300, 60)
        assert first.latency == pytest.approx(0.36)
        # 18 letters of 0.09 s and twice 0.1 s are 1.82 s: chunks at 0.36 s, 0.66 s and so on.
        assert len(first.chunk_seconds) == 5 + 3
        assert len(first.finish_seconds) == 2
        assert min(first.chunk_seconds) > 0
        # Nothing is cut off by a look-ahead beyond the end.
        assert limit.chunk_seconds == ()
        assert limit.per_recording == engine.accuracy.per_recording
    assert "over whole %" in out


def test_a_model_that_cannot_stream(
    export_tiny: Callable[..., Path],
    write_manifest: Callable[..., Path],
    run_command_line: CommandLine,
) -> None:
    path = export_tiny("model.onnx")
    manifest = write_manifest(TEXTS)
    code, _, err = run_command_line(cli.main, "streaming", "--manifest", manifest, "--model", path)
    assert code == 1
    assert "cannot stream" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latency", "--preset", "huge"], "unknown preset 'huge'; choose from: edge, base"),
        (["latency", "nowhere"], "nowhere is not a checkpoint"),
        (["latency", "nowhere", "--preset", "edge"], "not both"),
        (["latency", "--duration", "0"], "duration must be more than 0"),
        (["latency", "--duration", "nan"], "not nan"),
        (["latency", "--threads", "0"], "threads must be 1 to"),
        (["latency", "--rounds", "0"], "rounds must be"),
        (["latency", "--warmup", "-1"], "warmup must be"),
        (["latency", "--json", "missing/l.json"], "the folder missing does not exist"),
        (["latency", "--markdown", "."], "is a folder"),
        (["latency", "--json", "out", "--markdown", "./out"], "out is asked for twice"),
        (["precision", "--preset", "huge"], "unknown preset 'huge'"),
        (["precision", "nowhere"], "nowhere is not a checkpoint"),
        (["precision", "--seconds", "0"], "duration must be more than 0"),
        (["precision", "--preset", "edge", "--manifest", "x"], "random weights have no word error"),
        (["precision", "--preset", "edge", "--preset", "base"], "give one --preset"),
        (["streaming", "--manifest", "none.jsonl"], "cannot read the manifest"),
    ],
)
def test_bad_input_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    run_command_line: CommandLine,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command_line(cli.main, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("asr-bench: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_checking_the_outputs_leaves_them_alone(
    tmp_path: Path, run_command_line: CommandLine
) -> None:
    old = tmp_path / "l.json"
    old.write_text("old")
    outputs = ("--json", old, "--markdown", tmp_path / "l.md")
    assert run_command_line(cli.main, "latency", "nowhere", *outputs)[0] == 1
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


def test_results_of_a_preset_are_shown_again(
    tmp_path: Path,
    run_command_line: CommandLine,
    simulate: Callable[..., Results],
    environment: Any,
) -> None:
    write_results(simulate(environment, 1), tmp_path / "results.json")
    code, out, _ = run_command_line(cli.main, "report", tmp_path / "results.json")
    assert code == 0
    assert "Latency" in out.splitlines()
    markdown = tmp_path / "again.md"
    code, out, _ = run_command_line(
        cli.main, "report", tmp_path / "results.json", "--markdown", markdown
    )
    assert (code, out) == (0, "")
    assert "## Latency" in markdown.read_text(encoding="utf-8")
