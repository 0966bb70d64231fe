"""Where a model's time goes, operator by operator: ``asr-bench profile``."""
