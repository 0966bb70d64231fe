"""No command connects to anything, nor leaves ONNX Runtime's reports of use behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "runtime" / "asr_runtime" / "models" / "edge.onnx"
CLIP = ROOT / "runtime" / "demo" / "demo.flac"

RUN_COMMANDS = """
import json, os, sys
from importlib import import_module

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "urllib.Request"):
        print("it connects:", event, arguments, file=sys.__stderr__, flush=True)
        os._exit(77)

sys.addaudithook(refuse)
main = import_module(sys.argv[1]).main
for arguments in json.loads(sys.argv[2]):
    sys.argv = ["command", *arguments]
    try:
        main()
    except SystemExit as end:
        if end.code:
            sys.exit(end.code)
"""

TINY = [
    *("--set", "channels=2", "--set", "rnn_dim=8", "--set", "gru_hidden=8"),
    *("--set", "gru_layers=1", "--set", "residual_blocks=1"),
    *("--device", "cpu", "--workers", "0", "--precision", "fp32", "--epochs", "1"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if "TELEMETRY" not in key}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}


def left_behind(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if "onnxruntime" in str(path)]


@pytest.fixture
def run(home: Path) -> Callable[..., None]:
    """Run a program's commands, one after the other, in a process with an empty home."""

    def run(module: str, *commands: list[object]) -> None:
        shown = json.dumps([[str(argument) for argument in each] for each in commands])
        done = subprocess.run(
            [sys.executable, "-c", RUN_COMMANDS, module, shown],
            env=environment(home),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert left_behind(home) == []

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        [CLIP],
        ["doctor"],
        ["listen", CLIP],
        ["align", CLIP, "{said}"],
    ],
)
def test_asr_run(run: Callable[..., None], tmp_path: Path, arguments: list[object]) -> None:
    said = tmp_path / "said.txt"
    said.write_text(
        "The old man sat by the window and watched the river go by. "
        "He had all the time in the world."
    )
    run("asr_runtime.command.cli", [str(each).format(said=said) for each in arguments])


def test_asr_train(
    run: Callable[..., None], write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    manifest = write_manifest(["cab bad", "bead"])
    out = tmp_path / "run"
    words = tmp_path / "words.txt"
    words.write_text("a cab\na bead\nbad beads\n")
    run(
        "asr_train.cli",
        ["fit", "--out", out, "--train-manifest", manifest, "--dev-manifest", manifest, *TINY],
        ["evaluate", out / "best", "--manifest", manifest],
        ["quantize", out / "best", tmp_path / "int8"],
    )


def test_asr_export(run: Callable[..., None], tiny_checkpoint: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    run(
        "asr_export.cli",
        ["onnx", tiny_checkpoint, model],
        ["verify", tiny_checkpoint, model],
        ["inspect", model],
    )


def test_asr_bench(run: Callable[..., None]) -> None:
    run("asr_bench.cli", ["profile", MODEL, "--seconds", "1", "--rounds", "1", "--warmup", "1"])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM that a program can handle")
def test_asr_serve(home: Path) -> None:
    pytest.importorskip("fastapi", reason="asr-serve needs it")
    server = subprocess.Popen(
        [sys.executable, "-m", "asr_runtime.serve", "--port", "0", "--workers", "1"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    try:
        assert server.stdout.readline().startswith(b"listening at ")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    finally:
        server.kill()
    assert left_behind(home) == []


def test_toolkit_packages_tell_onnxruntime_before_they_import_it() -> None:
    kept = {key: value for key, value in os.environ.items() if "TELEMETRY" not in key}
    for package in ("asr_runtime", "asr_train", "asr_export", "asr_bench"):
        program = (
            f"import sys, os, {package}; assert 'onnxruntime' not in sys.modules; "
            "print(os.environ['ORT_DISABLE_TELEMETRY'])"
        )
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=kept, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "1"
