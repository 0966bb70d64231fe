"""The Node example gives the greedy text."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_runtime import Recognizer

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"


@pytest.fixture
def folder(node_modules: Path, tmp_path: Path) -> Path:
    """A folder where Node finds onnxruntime-node, or onnxruntime-web under its name.

    The two have one interface, and onnxruntime-node is 250 MB for all platforms.
    """
    if (node_modules / "onnxruntime-node").is_dir():
        return node_modules.parent
    stand_in = tmp_path / "node_modules" / "onnxruntime-node"
    stand_in.mkdir(parents=True)
    (stand_in / "package.json").write_text(json.dumps({"main": "index.js"}))
    target = json.dumps(str(node_modules / "onnxruntime-web"))
    (stand_in / "index.js").write_text(f"module.exports = require({target});")
    return tmp_path


def run(node: str, folder: Path, recording: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "examples" / "node_greedy.mjs"
    return subprocess.run(
        [node, script, MODEL, recording], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_it_prints_the_greedy_text(
    node: str, folder: Path, greedy: Recognizer, demo: np.ndarray, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "demo.wav", demo, 16_000, subtype="PCM_16")
    done = run(node, folder, tmp_path / "demo.wav")
    # ONNX Runtime's remarks on inputs with defaults go to standard output in WebAssembly.
    assert done.stdout.splitlines()[-1] == greedy.transcribe(demo, 16_000).text, done.stderr


def test_another_rate_is_refused(node: str, folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", np.zeros(4410), 44_100)
    done = run(node, folder, tmp_path / "fast.wav")
    assert done.returncode != 0
    assert "16000 Hz, mono" in done.stderr


def test_it_is_short() -> None:
    assert len((ROOT / "examples" / "node_greedy.mjs").read_text().splitlines()) <= 40
