"""What all commands of the toolkit do with errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from asr_runtime.inference.cpus import usable_cpus
from asr_runtime.standard_streams import guarded_streams, one_line
from asr_train.errors import ToolkitError


def run_command(app: Callable[[], object], name: str) -> None:
    """Run a typer app; what the user can mend is one line on stderr and a non-zero exit.

    Programming errors keep their traceback.
    """
    _limit_threads()
    with guarded_streams(name):
        try:
            app()
        except ToolkitError as error:
            print(f"{name}: {one_line(str(error))}", file=sys.stderr)
            sys.exit(error.exit_code)


def _limit_threads() -> None:
    """Have PyTorch, which is not imported yet, take no more threads than there are CPUs for it.

    It knows of the CPUs that the process may run on, but not of a control group's quota.
    """
    if usable_cpus() < (os.cpu_count() or 1):
        os.environ.setdefault("OMP_NUM_THREADS", str(usable_cpus()))
