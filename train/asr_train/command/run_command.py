"""What all commands of the toolkit do with errors."""

from __future__ import annotations

import sys
from collections.abc import Callable

from asr_train.errors import ToolkitError


def run_command(app: Callable[[], object], name: str) -> None:
    """Run a typer app; what the user can mend is one line on stderr and a non-zero exit.

    Programming errors keep their traceback.
    """
    try:
        app()
    except ToolkitError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
