"""What the commands print besides transcripts: lines of output, messages on standard error."""

from __future__ import annotations

import sys
import unicodedata


def print_line(line: str) -> None:
    """Print a line at once, because a reader at the other end of a pipe waits for it."""
    print(line, flush=True)


def report(message: str) -> None:
    """Print one line on standard error, whatever a file name or a library's message contains."""
    print(f"asr-run: {' '.join(message.splitlines())}", file=sys.stderr)


def shown_name(file: str) -> str:
    """Return a file's name as it stands in a line: line feeds and the like as ``\\n``."""
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in ("Cc", "Zl", "Zp")
        else char
        for char in file
    )
