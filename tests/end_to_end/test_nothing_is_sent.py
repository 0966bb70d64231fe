"""No command leaves ONNX Runtime's reports of use, or what they are made of, behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"
CLIP = ROOT / "runtime" / "demo" / "demo.flac"


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("asr_runtime.command.cli", [CLIP]),
        ("asr_runtime.command.cli", ["doctor"]),
        ("asr_export.cli", ["inspect", MODEL]),
        ("asr_bench.cli", ["profile", MODEL, "--seconds", "1", "--rounds", "1", "--warmup", "1"]),
    ],
)
def test_an_empty_home_stays_without_reports(
    module: str, arguments: list[object], tmp_path: Path
) -> None:
    environment = {key: value for key, value in os.environ.items() if "TELEMETRY" not in key}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    program = f"import sys; sys.argv[0] = 'x'; from {module} import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    left = [path for path in tmp_path.rglob("*") if "onnxruntime" in str(path)]
    assert left == []


def test_toolkit_packages_tell_onnxruntime_before_they_import_it() -> None:
    environment = {key: value for key, value in os.environ.items() if "TELEMETRY" not in key}
    for package in ("asr_runtime", "asr_train", "asr_export", "asr_bench"):
        program = (
            f"import sys, os, {package}; assert 'onnxruntime' not in sys.modules; "
            "print(os.environ['ORT_DISABLE_TELEMETRY'])"
        )
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "1"
