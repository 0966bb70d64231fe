"""What processes hold of NVIDIA GPUs' memory."""

from __future__ import annotations

import subprocess

_QUERY = ("--query-compute-apps=pid,used_gpu_memory", "--format=csv,noheader,nounits")
_TIME_LIMIT = 10.0  # seconds; a driver in trouble keeps it waiting for ever


def gpu_memory() -> dict[int, int]:
    """Return bytes by process number, of all GPUs together; empty without ``nvidia-smi``.

    Processes whose memory it does not tell are left out. ONNX Runtime and PyTorch give back
    nothing that they once took: what theirs hold after a run is its peak, CUDA itself included.
    """
    try:
        answer = subprocess.run(
            ["nvidia-smi", *_QUERY], capture_output=True, text=True, check=True, timeout=_TIME_LIMIT
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[int, int] = {}
    untold = set()
    for line in answer.stdout.splitlines():
        process, _, mebibytes = (part.strip() for part in line.partition(","))
        if not process.isdecimal():
            continue
        if mebibytes.isdecimal():
            found[int(process)] = found.get(int(process), 0) + int(mebibytes) * 2**20
        else:  # "[N/A]"
            untold.add(int(process))
    return {process: held for process, held in found.items() if process not in untold}
