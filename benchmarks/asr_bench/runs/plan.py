"""What a run measures on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from asr_bench.engines.engine import Engine
from asr_bench.results import (
    Accuracy,
    ColdStart,
    Deviation,
    Latency,
    Settings,
    Streaming,
    Throughput,
)
from asr_bench.runs.clips import Recording
from asr_bench.runs.normalization import Normalizer

#: Length in seconds of each utterance of a batch; the nearest duration is taken.
BATCH_SECONDS = 5.0

Part = Literal["cold start", "latency", "throughput", "words", "streams", "log-probabilities"]

#: What ``asr-bench run`` measures.
ALL_PARTS: frozenset[Part] = frozenset(("cold start", "latency", "throughput", "words", "streams"))


@dataclass(frozen=True)
class StreamSetting:
    """Milliseconds of a chunk and of the look-ahead after it."""

    chunk_ms: float
    lookahead_ms: float


@dataclass(frozen=True)
class Plan:
    """What is measured on what.

    Attributes:
        settings: Numbers of threads, rounds and so on.
        clips: Files of samples by duration in seconds.
        recordings: Recordings for word error rates and log-probabilities.
        normalizer: Applied before words are counted; None without recordings.
        cold_starts: Fresh processes of each engine that only transcribe one clip.
        streams: Chunks and look-aheads.
        stream_recordings: What is streamed; of no text if there are no recordings.
        parts: What is measured.
        reference: Name of the engine whose log-probabilities the others' are compared with.
        scratch: Folder for log-probabilities.
    """

    settings: Settings
    clips: Mapping[float, Path]
    recordings: Sequence[Recording]
    normalizer: Normalizer | None
    cold_starts: int = 0
    streams: Sequence[StreamSetting] = ()
    stream_recordings: Sequence[Recording] = ()
    parts: frozenset[Part] = ALL_PARTS
    reference: str | None = None
    scratch: Path = Path()

    @property
    def batch_duration(self) -> float:
        """Length in seconds of each utterance of a batch, and of the clip of a cold start."""
        return min(self.clips, key=lambda duration: abs(duration - BATCH_SECONDS))

    @property
    def compared(self) -> Sequence[Recording]:
        """What log-probabilities are compared on: recordings, or else the longest clip."""
        if self.recordings:
            return self.recordings
        longest = max(self.clips)
        return [Recording(self.clips[longest], longest, "")]

    def runs(self, engines: Sequence[Engine]) -> int:
        """Return how often ``EnginePool.after_run`` will be called."""
        settings, total = self.settings, 0
        if "cold start" in self.parts:
            total += (1 + self.cold_starts) * len(engines)
        for threads in settings.threads if "latency" in self.parts else ():
            members = able(engines, threads, settings)
            batching = sum(engine.takes_batches for engine in members)
            batches = batching * len(settings.batch_sizes) * ("throughput" in self.parts)
            total += (settings.rounds + settings.warmup) * (
                len(members) * len(self.clips) + batches
            )
        if "words" in self.parts and self.recordings:
            total += len(engines) * (len(self.clips) + len(self.recordings))
        if "log-probabilities" in self.parts:
            total += sum(one.gives_log_probs for one in engines) * len(self.compared)
        if "streams" in self.parts:
            streaming = sum(engine.streams for engine in engines)
            total += streaming * len(self.streams) * (1 + len(self.stream_recordings))
        return total


def able(engines: Sequence[Engine], threads: int, settings: Settings) -> list[Engine]:
    """Return the engines that can use so many threads; at the least number, all."""
    return [engine for engine in engines if engine.threaded or threads == settings.threads[0]]


@dataclass
class Measurements:
    """Measurements so far, by the engine's name.

    Attributes:
        cold_start: One entry a fresh process.
        latency: One entry a duration and number of threads.
        throughput: One entry a batch size and number of threads.
        streaming: One entry a chunk and look-ahead.
        accuracy: Word errors.
        deviation: Differences from the reference.
        done: Parts that were finished, in their order; of others there may be something as well.
    """

    cold_start: dict[str, list[ColdStart]] = field(default_factory=dict)
    latency: dict[str, list[Latency]] = field(default_factory=dict)
    throughput: dict[str, list[Throughput]] = field(default_factory=dict)
    streaming: dict[str, list[Streaming]] = field(default_factory=dict)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)
    deviation: dict[str, Deviation] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing at all was measured yet."""
        return not any(value for name, value in vars(self).items() if name != "done")
