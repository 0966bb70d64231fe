"""What the commands print besides transcripts: lines of output, messages on standard error."""

from __future__ import annotations

import sys

from asr_runtime.standard_streams import one_line


def print_line(line: str) -> None:
    """Print a line at once, because a reader at the other end of a pipe waits for it."""
    print(line, flush=True)


def report(message: str) -> None:
    """Print one line on standard error, whatever a file name or a library's message contains."""
    print(f"asr-run: {one_line(message)}", file=sys.stderr)
