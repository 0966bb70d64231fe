"""The default number of threads is that of the CPUs which the process may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asr_runtime.inference import cpus
from asr_runtime.inference.cpus import usable_cpus


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 cores, all of them allowed, without control groups."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_all_cores_without_a_limit(machine: Path) -> None:
    assert usable_cpus(machine) == 16


def test_affinity(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 7}, raising=False)
    assert usable_cpus(machine) == 2


def test_a_system_without_affinity(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cpus(machine) == 16


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("300000 100000\n", 3),
        ("150000 100000\n", 1),  # a second thread would be stopped half of the time
        ("20000 100000\n", 1),
        ("max 100000\n", 16),
        ("", 16),
        ("nonsense\n", 16),
        ("100000 0\n", 16),
    ],
)
def test_quota_of_version_2(machine: Path, limit: str, expected: int) -> None:
    write(machine / "proc/self/cgroup", "0::/system.slice/asr.service\n")
    write(machine / "sys/fs/cgroup/system.slice/asr.service/cpu.max", limit)
    assert usable_cpus(machine) == expected


def test_the_tightest_group_above_counts(machine: Path) -> None:
    write(machine / "proc/self/cgroup", "0::/pods/one\n")
    write(machine / "sys/fs/cgroup/pods/one/cpu.max", "800000 100000")
    write(machine / "sys/fs/cgroup/pods/cpu.max", "400000 100000")
    assert usable_cpus(machine) == 4


def test_in_a_container_the_group_is_mounted_topmost(machine: Path) -> None:
    write(machine / "proc/self/cgroup", "0::/\n")
    write(machine / "sys/fs/cgroup/cpu.max", "200000 100000")
    assert usable_cpus(machine) == 2
    write(machine / "proc/self/cgroup", "0::/../outside\n")
    assert usable_cpus(machine) == 2


@pytest.mark.parametrize(("quota", "expected"), [("250000", 2), ("-1", 16)])
def test_quota_of_version_1(machine: Path, quota: str, expected: int) -> None:
    write(machine / "proc/self/cgroup", "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n")
    write(machine / "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", quota + "\n")
    write(machine / "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    assert usable_cpus(machine) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_recogniser_on_one_cpu_has_one_thread() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from asr_runtime import Recognizer\n"
        "session = Recognizer.load(device='cpu', decoder='greedy')._session._session\n"
        "print(session.get_session_options().intra_op_num_threads)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


@pytest.mark.parametrize(
    ("asked", "usable", "expected"), [(None, 16, 0), (None, 2, 2), (4, 2, 4), (4, 16, 4)]
)
def test_threads_of_a_session(
    monkeypatch: pytest.MonkeyPatch, asked: int | None, usable: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(cpus, "usable_cpus", lambda: usable)
    assert cpus.session_threads(asked) == expected


def test_the_machine_at_hand() -> None:
    assert 1 <= cpus.usable_cpus() <= (os.cpu_count() or 1)
