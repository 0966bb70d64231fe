"""``python -m asr_runtime`` is ``asr-run``."""

from asr_runtime.cli import main

main()
