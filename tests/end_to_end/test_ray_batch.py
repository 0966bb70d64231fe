"""The example for Ray Data, on a Ray of this machine with two actors."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("ray", reason="needs the extra ray of asr-runtime")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra ray of asr-runtime")
pyarrow = pytest.importorskip("pyarrow")

from asr_runtime import AudioFileError, Transcript  # noqa: E402 - skips come first

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ray_batch.py"
CLIP = ROOT / "runtime" / "demo" / "demo.flac"


def actor_at_work(session: int, others: set[str]) -> int | None:
    """A process of a session in which Ray runs a Transcriber that has files.

    Args:
        session: The session.
        others: Entries of /proc that are not of it, for the next look; looking at all of them costs
            more than the transcripts do.
    """
    for name in set(os.listdir("/proc")) - others:
        try:
            if not name.isdigit() or os.getsid(int(name)) != session:
                others.add(name)
                continue
            line = Path("/proc", name, "cmdline").read_bytes()
            if b"ray::" in line and b"MapWorker" in line and b".submit" in line:
                return int(name)
        except OSError:
            continue
    return None


def test_a_failed_file_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    spec = importlib.util.spec_from_file_location("ray_batch", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(example.time, "sleep", lambda seconds: None)

    class Flaky:
        def __init__(self, *problems: str) -> None:
            self.problems = list(problems)

        def transcribe(self, path: str) -> Transcript:
            if self.problems:
                raise AudioFileError(self.problems.pop(0))
            return Transcript("hello", 0.5, (), 1.0)

    transcriber = object.__new__(example.Transcriber)
    transcriber._recognizer = Flaky("x.wav: cannot be read", "x.wav: still not")
    row = {name: values[0] for name, values in transcriber({"path": ["x.wav"]}).items()}
    assert (row["text"], row["problem"], row["tries"]) == ("hello", "", 3)
    transcriber._recognizer = Flaky("a", "b", "c")
    row = {name: values[0] for name, values in transcriber({"path": ["x.wav"]}).items()}
    assert (row["text"], row["problem"], row["tries"]) == ("", "c", 3)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
def test_a_table_with_a_bad_file_and_an_actor_that_is_killed(tmp_path: Path) -> None:
    samples, rate = soundfile.read(CLIP, dtype="float32")
    files = []
    for number in range(30):
        files.append(str(tmp_path / f"{number:02}.wav"))
        soundfile.write(files[-1], samples[: (5 + number % 3) * rate], rate)
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    files.insert(3, str(tmp_path / "bad.wav"))
    parquet.write_table(pyarrow.table({"audio": files}), tmp_path / "table.parquet")
    options = ["--column", "audio", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, EXAMPLE, tmp_path / "table.parquet", tmp_path / "out", *options],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        killed = False
        others: set[str] = set()
        end = time.monotonic() + 200
        while process.poll() is None and not killed and time.monotonic() < end:
            actor = actor_at_work(process.pid, others)
            if actor is not None:
                os.kill(actor, signal.SIGKILL)
                killed = True
            time.sleep(0.05)
        _, errors = process.communicate(timeout=200)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 1, errors
    assert killed
    assert "bad.wav: is not audio that can be read" in errors
    rows = parquet.read_table(tmp_path / "out").to_pylist()
    assert sorted(row["path"] for row in rows) == sorted(files)
    bad = [row for row in rows if row["problem"]]
    assert [row["path"] for row in bad] == [str(tmp_path / "bad.wav")]
    assert bad[0]["tries"] == 3
    good = [row for row in rows if not row["problem"]]
    assert all(json.loads(row["transcript"])["text"] == row["text"] != "" for row in good)
