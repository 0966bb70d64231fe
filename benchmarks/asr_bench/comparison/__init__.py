"""What changed between two runs: ``asr-bench compare`` and ``table``."""
