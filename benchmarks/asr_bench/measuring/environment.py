"""What a measurement was taken on and with: without it, a number cannot be compared."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from asr_runtime.inference.cpus import usable_cpus


@dataclass(frozen=True)
class Environment:
    """The machine and the programs, as they were before the first measurement.

    Attributes:
        cpu: Model name of the processor.
        logical_cores: Number in the whole machine, which is what the load average refers to.
        load_average: Processes that ran or waited to, mean of the last minute; None on Windows.
        system: Operating system and architecture.
        python: Version of Python.
        torch: Version of PyTorch.
        onnxruntime: Version of ONNX Runtime.
        numpy: Version of NumPy.
        date: Time in UTC, ISO 8601.
        command: The command line.
        commit: Commit of the checkout this program runs from, ``-dirty`` when it has changes; None
            when it is installed or git is missing.
        memory_bytes: Memory of the machine; None where the system does not tell.
        usable_cpus: How many this process might use; None in results of before that was noted.
    """

    cpu: str
    logical_cores: int
    load_average: float | None
    system: str
    python: str
    torch: str
    onnxruntime: str
    numpy: str
    date: str
    command: str
    commit: str | None
    memory_bytes: int | None = None
    usable_cpus: int | None = None

    @property
    def overloaded(self) -> bool:
        """Whether other work kept all cores busy already."""
        return self.load_average is not None and self.load_average > self.logical_cores


def capture_environment() -> Environment:
    """Capture the machine and the programs here and now."""
    # Only here: who reads what was captured elsewhere need not wait for these, nor have them.
    import numpy
    import onnxruntime
    import torch

    return Environment(
        cpu=_cpu_model(),
        logical_cores=logical_cores(),
        load_average=load_average(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        torch=torch.__version__,
        onnxruntime=onnxruntime.__version__,
        numpy=numpy.__version__,
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        # The program by its name: where it is installed is nobody's business.
        command=shlex.join(["asr-bench", *sys.argv[1:]]),
        commit=_commit(Path(__file__)),
        memory_bytes=memory_bytes(),
        usable_cpus=usable_cpus(),
    )


def measured_variables(**changes: str) -> dict[str, str]:
    """Return environment variables for a process that is measured: this one's, and ``changes``.

    Whoever forbids Python to keep its bytecode would have every start compile all sources again,
    which is not what users' installations do.
    """
    return {
        name: value
        for name, value in {**os.environ, **changes}.items()
        if name != "PYTHONDONTWRITEBYTECODE"
    }


def logical_cores() -> int:
    """Return the number of logical cores of the whole machine."""
    return os.cpu_count() or 1


def load_average() -> float | None:
    """Return the mean of the last minute; None where the system has none."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def memory_bytes() -> int | None:
    """Return the machine's memory in bytes; None where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _commit(source: Path) -> str | None:
    # A virtual environment often lies inside some other project's checkout: only a repository
    # that tracks this very file tells its version.
    if _git(source.parent, "ls-files", "--error-unmatch", source.name) is None:
        return None
    return _git(source.parent, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
