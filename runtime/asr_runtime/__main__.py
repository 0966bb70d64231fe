"""``python -m asr_runtime`` is ``asr-run``."""

from __future__ import annotations

from asr_runtime.command.cli import program

program()
