"""The main job, end to end, on a voice of tones: train, export, run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from asr_export import export
from asr_runtime import Recognizer
from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.data.manifest import read_manifest


def test_train_export_run(
    learned_run: Path, write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    device_model = tmp_path / "model.onnx"
    export(load_checkpoint(learned_run / "best"), device_model)
    said = ["face bad cab", "deaf dab", "cafe bead"]
    clips = [row.audio for row in read_manifest(write_manifest(said, "dev.jsonl"))]
    recognizer = Recognizer.load(device_model, device="cpu")
    heard = [recognizer.transcribe(clip).text for clip in clips]
    assert heard == said
    assert [result.text for result in recognizer.transcribe_batch(clips)] == said

    command = [sys.executable, "-m", "asr_runtime", "--model", str(device_model)]
    result = subprocess.run(
        [*command, "--format", "json", "--device", "cpu", str(clips[0])],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    document = json.loads(result.stdout)
    assert document["text"] == said[0]
    assert document["provider"] == "CPUExecutionProvider"
    assert [word["text"] for word in document["words"]] == said[0].split()


def test_the_device_needs_no_torch() -> None:
    """asr-run, transcribing, imports nothing of the toolkit."""
    demo = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
    program = (
        "import sys\n"
        "from asr_runtime import Recognizer\n"
        f"assert Recognizer.load(device='cpu').transcribe({str(demo)!r}).text\n"
        "heavy = {'torch', 'torchaudio', 'onnx', 'asr_train', 'asr_export'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
