"""``python -m asr_runtime`` is ``asr-run``."""

from asr_runtime.command.cli import main

main()
