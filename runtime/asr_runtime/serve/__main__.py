"""``python -m asr_runtime.serve`` is ``asr-serve``."""

from asr_runtime.serve.command import main

main()
