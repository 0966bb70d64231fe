import dataclasses
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from asr_bench.measuring import environment
from asr_bench.measuring.environment import capture_environment


def test_what_is_recorded(monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/asr-bench", "latency", "--json", "a b.json"])
    here = capture_environment()
    assert here.command == "asr-bench latency --json 'a b.json'"
    assert datetime.fromisoformat(here.date).utcoffset() == timedelta(0)
    assert here.logical_cores >= 1
    for name in ("cpu", "system", "python", "torch", "onnxruntime", "numpy"):
        assert getattr(here, name)
    if hasattr(os, "sysconf"):
        assert here.memory_bytes is not None
        assert here.memory_bytes > 2**28


def test_overloaded(environment) -> None:
    for load, expected in ((0.0, False), (2.0, False), (2.1, True), (None, False)):
        assert dataclasses.replace(environment, load_average=load).overloaded is expected


def test_a_system_without_load_average(monkeypatch) -> None:
    monkeypatch.delattr("os.getloadavg", raising=False)
    assert environment.load_average() is None


@pytest.mark.skipif(shutil.which("git") is None, reason="git is missing")
def test_commit_is_of_the_repository_that_tracks_the_file(tmp_path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    tracked, installed = tmp_path / "tracked.py", tmp_path / "installed.py"
    tracked.write_text("1\n")
    installed.write_text("1\n")
    assert environment._commit(tracked) is None
    git("init")
    git("add", "tracked.py")
    git("commit", "-m", "one")
    git("tag", "v1")
    commit = git("rev-parse", "HEAD")
    assert environment._commit(tracked) == commit
    assert environment._commit(installed) is None
    tracked.write_text("2\n")
    assert environment._commit(tracked) == f"{commit}-dirty"


def test_no_git(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert capture_environment().commit is None
