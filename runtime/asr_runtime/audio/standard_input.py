"""Standard input as audio."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import BinaryIO

from asr_runtime.errors import AudioFileError


def standard_input() -> BinaryIO:
    """Return standard input, whose reads wait for what comes.

    Raises:
        AudioFileError: It is closed, or the terminal.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise AudioFileError("standard input is closed; pipe audio into it")
    if sys.stdin.isatty():
        raise AudioFileError("standard input is the terminal; pipe audio into it")
    wait_for_data(sys.stdin.buffer)
    return sys.stdin.buffer


def wait_for_data(file: BinaryIO) -> None:
    """Have reads wait: an empty pipe that does not let them looks as if it had ended."""
    # Windows' pipes are not so, and what is no file of the system has no such setting.
    with contextlib.suppress(OSError, AttributeError):
        os.set_blocking(file.fileno(), True)
