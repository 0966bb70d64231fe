"""How many CPUs this process may use, which a container or a service can make fewer than there are.

``os.cpu_count`` counts the machine's. One thread for each of them is too many where a process is
tied to some of them (``taskset``, ``docker --cpuset-cpus``, systemd's ``CPUAffinity``) or has a
share of their time (``docker --cpus``, Kubernetes' limits): ONNX Runtime's threads then wait for
each other spinning, and use the time that another thread of the same process needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def usable_cpus(root: Path = Path("/")) -> int:
    """Return how many threads can compute at the same time, at least 1.

    This is the smallest of the machine's logical cores, those that the process may run on, and the
    whole CPUs that its control groups grant (Linux, versions 1 and 2).

    Args:
        root: Where ``proc`` and ``sys`` are; another folder for tests.
    """
    limits = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):  # Linux has it, macOS and Windows do not
        limits.append(len(os.sched_getaffinity(0)))
    # A thread more than the whole CPUs would be stopped in most periods, and the others wait.
    limits += [int(quota) for quota in _quotas(root)]
    return max(1, min(limits))


def session_threads(threads: int | None) -> int:
    """Return what ONNX Runtime's ``intra_op_num_threads`` should be.

    Args:
        threads: As many as someone asks for; None for one on each CPU that the process may use.

    Returns:
        The number, 0 for ONNX Runtime's own choice: where all of the machine's cores are ours, it
        also ties a thread to each, which it does not do when it is given a number.
    """
    if threads is None and usable_cpus() < (os.cpu_count() or 1):
        return usable_cpus()
    return threads or 0


def _quotas(root: Path) -> Iterator[float]:
    """CPUs granted by each control group that the process is in, up to the topmost."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            for folder in _upwards(root / "sys/fs/cgroup", path):
                yield from _ratio(*[*_read(folder / "cpu.max").split(), "", ""][:2])
        elif "cpu" in controllers.split(","):
            for folder in _upwards(root / "sys/fs/cgroup" / controllers, path):
                quota, period = (_read(folder / f"cpu.cfs_{name}_us") for name in _CFS)
                yield from _ratio(quota.strip(), period.strip())


_CFS = ("quota", "period")


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """The group's folder and those above it; in a container its own group is mounted topmost."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for size in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:size])


def _ratio(quota: str, period: str) -> Iterator[float]:
    """Quota over period, both in microseconds; ``max`` and -1 are no limit."""
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        yield int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
