"""The commands of ``asr-train``."""
