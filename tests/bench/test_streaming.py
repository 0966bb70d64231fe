"""The table over chunk and look-ahead."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from asr_bench import cli
from asr_export import export
from asr_train.checkpoints.checkpoint import Checkpoint

TEXTS = ["cab bead deaf fade", "cafe face"]


def test_it_measures_every_setting(
    streaming_model: Path,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
    run_command_line: Callable[..., tuple[int, str, str]],
) -> None:
    manifest, report = write_manifest(TEXTS), tmp_path / "report.json"
    code, out, _ = run_command_line(
        cli.main,
        *("streaming", "--manifest", manifest, "--model", streaming_model, "--json", report),
        *("--chunk-ms", 300, "--chunk-ms", 90, "--lookahead-ms", 60, "--lookahead-ms", 6000),
    )
    assert code == 0
    lines = out.splitlines()
    assert len([line for line in lines if line.lstrip().startswith(("300 ms", "90 ms"))]) == 4
    document = json.loads(report.read_text())
    assert document["recordings"] == 2
    first, limit, *_ = document["streams"]
    assert (first["chunk_ms"], first["lookahead_ms"], first["latency_ms"]) == (300, 60, 360)
    # 18 letters of 0.09 s and twice 0.1 s are 1.82 s: chunks at 0.36 s, 0.66 s and so on.
    assert len(first["chunk_ms_samples"]) == 5 + 3
    assert len(first["finish_ms_samples"]) == 2
    assert min(first["chunk_ms_samples"]) > 0
    # Nothing is cut off by a look-ahead beyond the end.
    assert limit["chunk_ms_samples"] == []
    assert limit["word_error_rates"] == pytest.approx(document["word_error_rates_whole"])


def test_a_model_that_cannot_stream(
    loaded: Checkpoint,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
    run_command_line: Callable[..., tuple[int, str, str]],
) -> None:
    path = tmp_path / "whole.onnx"
    export(loaded, path)
    code, _, err = run_command_line(
        cli.main, "streaming", "--manifest", write_manifest(TEXTS), "--model", path
    )
    assert code == 1
    assert "cannot stream" in err
