"""Ctrl-C and SIGTERM stop a run between two steps, and it can go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.training import interruption
from asr_train.training.interruption import InterruptFlag, ignore_interrupts
from asr_train.training.metrics_log import STEPS_CSV, read_csv


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_only_asks(number: signal.Signals) -> None:
    with InterruptFlag() as flag:
        assert not flag.requested
        os.kill(os.getpid(), number)
        assert flag.requested
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_later_signal_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "REPEAT_SECONDS", 0.0)
    with InterruptFlag():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_loader_workers_leave_ctrl_c_to_the_main_process() -> None:
    previous = signal.getsignal(signal.SIGINT)
    try:
        ignore_interrupts(worker_id=0)
        os.kill(os.getpid(), signal.SIGINT)  # would raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, previous)


def test_ctrl_c_leaves_a_resumable_checkpoint(
    write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    manifest = write_manifest(["cab bead", "face deaf", "cafe"] * 4)
    command = [
        *(sys.executable, "-m", "asr_train", "fit", "--out", str(out), "--device", "cpu"),
        *(
            "--train-manifest",
            str(manifest),
            "--epochs",
            "10000",
        ),
        *("--batch-seconds", "6", "--workers", "1"),
        *("--set", "gru_hidden=8", "--set", "rnn_dim=8", "--set", "channels=2"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(read_csv(out / STEPS_CSV)) < 3 and process.poll() is None:
        assert time.monotonic() < deadline, "training did not start"
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the loader's worker gets it too
    os.kill(process.pid, signal.SIGTERM)  # as torchrun does, which passes it on
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert "go on with the same command and --resume" in stderr.splitlines()[-1]
    assert load_checkpoint(out / "last").progress["step"] >= 3
