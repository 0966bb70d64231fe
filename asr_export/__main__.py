"""``python -m asr_export``."""

from asr_export.cli import main

if __name__ == "__main__":
    main()
