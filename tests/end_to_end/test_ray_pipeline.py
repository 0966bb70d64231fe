"""The example for Ray Data, on a Ray of this machine with two actors."""

from __future__ import annotations

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

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "runtime" / "demo" / "demo.flac"


def actors(session: int) -> list[int]:
    """The processes of a session in which Ray runs a Transcriber."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session:
                line = (entry / "cmdline").read_bytes()
                if b"ray::" in line and b"MapWorker" in line:
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
def test_a_table_with_a_bad_file_and_an_actor_that_is_killed(tmp_path: Path) -> None:
    samples, rate = soundfile.read(CLIP, dtype="float32")
    files = []
    for number in range(40):
        files.append(str(tmp_path / f"{number:02}.wav"))
        soundfile.write(files[-1], samples[: (5 + number % 3) * rate], rate)
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    files.insert(3, str(tmp_path / "bad.wav"))
    parquet.write_table(pyarrow.table({"audio": files}), tmp_path / "table.parquet")
    process = subprocess.Popen(
        [sys.executable, ROOT / "examples" / "ray_pipeline.py", tmp_path / "table.parquet"]
        + [tmp_path / "out", "--column", "audio", "--workers", "2"],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        killed = False
        end = time.monotonic() + 60
        while process.poll() is None and not killed and time.monotonic() < end:
            found = actors(process.pid)
            if len(found) == 2:
                os.kill(found[0], signal.SIGKILL)
                killed = True
            time.sleep(0.1)
        _, errors = process.communicate(timeout=150)
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
    good = [row for row in rows if not row["problem"]]
    assert all(json.loads(row["transcript"])["text"] == row["text"] != "" for row in good)
