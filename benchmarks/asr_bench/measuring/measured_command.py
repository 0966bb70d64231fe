"""Runs a command and tells what it took. Small: a child's peak counts what its parent holds.

python measured_command.py COMMAND ARGUMENT... writes what the command writes, and as the last line
of standard error a JSON object: exit status, seconds, CPU seconds, peak bytes.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run the command of the arguments."""
    begin = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:])
    _, status, usage = os.wait4(process.pid, 0)
    measured = {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        # Linux counts KiB, macOS bytes.
        "peak_memory": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    print(json.dumps(measured), file=sys.stderr)


if __name__ == "__main__":
    main()
