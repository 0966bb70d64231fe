"""Errors of the benchmarks whose one-line message is meant for the person at the command line."""

from __future__ import annotations

from asr_train.errors import ToolkitError


class BenchError(ToolkitError):
    """A measurement that makes no sense or cannot be written."""


class InterruptedRunError(BenchError):
    """The measurement was stopped by Ctrl-C; the message says where the results so far are."""

    exit_code = 130  # as shells report an end by Ctrl-C
