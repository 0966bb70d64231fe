"""``asr-bench long``: what a recording is built of, and what is counted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_bench.cli import main
from asr_bench.errors import BenchError
from asr_bench.long_form.long_recording import (
    Recording,
    build_recording,
    run_command,
    texts_within,
    word_error_rate,
)
from asr_bench.measuring import measured_command
from asr_runtime.recognizer import DEFAULT_MODEL
from asr_train.data.manifest import Utterance, read_manifest


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    rows = []
    for index, rate in enumerate((16_000, 8_000)):
        samples = np.full(rate * (index + 1), 0.1 * (index + 1), np.float32)
        soundfile.write(tmp_path / f"{index}.wav", samples, rate)
        row = {
            "audio_filepath": f"{index}.wav",
            "duration": index + 1.0,
            "text": f"text {'ab'[index]}",
        }
        rows.append(json.dumps(row))
    manifest = tmp_path / "clips.jsonl"
    manifest.write_text("\n".join(rows))
    return read_manifest(manifest)


def test_recording_is_clips_and_silences(clips: list[Utterance], tmp_path: Path) -> None:
    recording = build_recording(clips, 12.0, tmp_path / "long.wav", seed=1)
    samples, rate = soundfile.read(recording.path)
    assert rate == 16_000
    assert len(samples) / rate == pytest.approx(recording.duration)
    assert recording.duration >= 12.0
    assert recording.clips[:3] == (0, 1, 0)
    for clip, start in zip(recording.clips, recording.starts, strict=True):
        begin = round(start * rate)
        length = (clip + 1) * rate
        middle = samples[begin + 100 : begin + length - 100]
        np.testing.assert_allclose(middle, 0.1 * (clip + 1), atol=0.01)
        assert begin == 0 or abs(samples[begin - 100]) < 1e-3
    again = build_recording(clips, 12.0, tmp_path / "again.wav", seed=1)
    assert again.starts == recording.starts
    assert build_recording(clips, 12.0, tmp_path / "c.wav", seed=2).starts != recording.starts


def test_words_are_those_of_the_clip_they_lie_in(clips: list[Utterance]) -> None:
    recording = Recording(Path("long.wav"), 9.0, (0, 1, 0), (0.0, 2.0, 6.0))
    words = [
        {"text": "text", "start": 0.1, "end": 0.5},
        {"text": "a", "start": 0.6, "end": 1.0},
        {"text": "text", "start": 3.0, "end": 3.5},
        {"text": "b", "start": 5.0, "end": 6.4},
        {"text": "a", "start": 5.8, "end": 6.4},
    ]
    heard = texts_within(recording, {"words": words})
    assert heard == ["text a", "text b", "a"]
    assert word_error_rate(clips, recording.clips, heard) == pytest.approx(1 / 6)


def test_peak_of_a_command_is_its_own() -> None:
    """Not that of the process that started it, however large."""
    import subprocess

    ballast = np.ones(100_000_000)  # 800 MB
    script = "import sys; data = bytearray(50_000_000); print('done'); sys.exit(3)"
    done = subprocess.run(
        [sys.executable, measured_command.__file__, sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    measured = json.loads(done.stderr)
    assert done.stdout == "done\n"
    assert measured["status"] == 3
    assert 50e6 < measured["peak_memory"] < 200e6 < ballast.nbytes
    assert measured["cpu_seconds"] > 0


def test_failure_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"asr-run failed: .*no such file"):
        run_command([tmp_path / "none.wav"], ["--decoder", "greedy"])


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="the default model is not installed")
def test_command_line(
    clips: list[Utterance], tmp_path: Path, run_command_line: Callable[..., tuple[int, str, str]]
) -> None:
    status, output, _ = run_command_line(
        main,
        "long",
        "--manifest",
        clips[0].audio.parent / "clips.jsonl",
        "--hours",
        0.02,
        "--decoder",
        "greedy",
        "--json",
        tmp_path / "long.json",
        "--markdown",
        tmp_path / "long.md",
    )
    assert status == 0
    assert "peak MiB" in output
    short, long = json.loads((tmp_path / "long.json").read_text())["rows"]
    assert short["audio_seconds"] >= 30
    assert long["audio_seconds"] >= 72
    assert long["peak_memory"] - short["peak_memory"] < 60 * 2**20


def test_impossible_hours(
    clips: list[Utterance], run_command_line: Callable[..., tuple[int, str, str]]
) -> None:
    manifest = clips[0].audio.parent / "clips.jsonl"
    status, _, errors = run_command_line(main, "long", "--manifest", manifest, "--hours", 0)
    assert status != 0
    assert "hours must be more than 0" in errors
