"""The command line, ``asr-run``."""
