"""``python -m asr_train``."""

from asr_train.cli import main

if __name__ == "__main__":
    main()
