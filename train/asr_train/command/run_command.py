"""What all commands of the toolkit do with errors."""

from __future__ import annotations

import sys
from collections.abc import Callable

from asr_runtime.standard_streams import guarded_streams
from asr_train.errors import ToolkitError


def run_command(app: Callable[[], object], name: str) -> None:
    """Run a typer app; what the user can mend is one line on stderr and a non-zero exit.

    Programming errors keep their traceback.
    """
    with guarded_streams(name):
        try:
            app()
        except ToolkitError as error:
            print(f"{name}: {' '.join(str(error).splitlines())}", file=sys.stderr)
            sys.exit(error.exit_code)
