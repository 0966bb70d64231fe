"""Live streams: ``asr-bench streaming``."""
