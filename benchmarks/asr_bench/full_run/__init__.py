"""Every engine on the same audio: ``asr-bench run``."""
