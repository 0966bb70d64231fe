"""What a server counts for Prometheus; never what was said."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from asr_runtime import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        info = Gauge("asr_info", "The server's version.", ["version"], registry=self._registry)
        info.labels(__version__).set(1)
        self.requests = Counter(
            "asr_requests", "Answered requests.", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "asr_request_seconds",
            "From a request's first byte to its answer's last.",
            ["path"],
            registry=self._registry,
        )
        self.audio_seconds = Counter(
            "asr_audio_seconds", "Audio that was transcribed.", registry=self._registry
        )
        self.computing_seconds = Counter(
            "asr_computing_seconds", "Time that its transcription took.", registry=self._registry
        )
        self.waiting = Gauge(
            "asr_waiting_requests", "Recordings that wait for a worker.", registry=self._registry
        )
        self.streams = Gauge("asr_streams", "Live streams that are open.", registry=self._registry)

    def exposition(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
