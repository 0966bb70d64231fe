"""Recordings of hours: ``asr-bench long``."""
