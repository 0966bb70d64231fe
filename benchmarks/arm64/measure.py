"""Run a command and note its output, time and memory: ``measure.py RESULT.json COMMAND…``."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the command; fail as it does, and leave a result only if it succeeded."""
    result, command = Path(sys.argv[1]), sys.argv[2:]
    start = time.perf_counter()
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=False, encoding="utf-8")
    seconds = time.perf_counter() - start
    if finished.returncode:
        sys.exit(f"exit status {finished.returncode}: {' '.join(command)}")
    # Linux counts ru_maxrss in KiB. It is that of the largest process among the command's.
    peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    measured = {"output": finished.stdout, "seconds": seconds, "peak_bytes": peak_bytes}
    result.write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
