"""One model in every form: ``asr-bench latency``, ``precision`` and ``profile``."""
