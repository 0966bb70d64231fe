"""Peak memory of this process; imports nothing that would take any."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path


def peak_memory() -> int:
    """Return the peak resident bytes of this process; 0 where the system does not tell.

    On Linux not from ``getrusage``: that counts what the parent held when it started the process.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
