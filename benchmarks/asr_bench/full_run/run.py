"""All measurements of ``asr-bench run``: the same audio for every engine, round by round."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr_bench.engines.engine import Engine
from asr_bench.engines.engine_process import Timing
from asr_bench.engines.fleet import Fleet, Processes
from asr_bench.full_run.clips import Recording
from asr_bench.full_run.machine_rates import MachineRates
from asr_bench.full_run.normalization import Normalizer
from asr_bench.live.stream_recording import StreamSetting
from asr_bench.measuring.environment import load_average, logical_cores
from asr_bench.measuring.gpu_memory import gpu_memory
from asr_bench.measuring.statistics import scattered
from asr_bench.results import Accuracy, ColdStart, Latency, Settings, Streaming, Throughput
from asr_train.evaluation.metrics import word_errors

#: Seconds of each utterance of a batch, about; the duration next to it is taken.
BATCH_SECONDS = 5.0

#: An engine on all cores makes a load of that many by itself; above that it is others' work.
_OTHER_LOAD = 0.5


@dataclass(frozen=True)
class Plan:
    """What is measured on what.

    Attributes:
        settings: numbers of threads, rounds and so on.
        clips: files of samples by duration.
        recordings: of which word error rates are taken.
        cold_starts: fresh processes of each engine that only transcribe one clip.
        streams: chunks and look-aheads.
        stream_recordings: of each stream.
        normalizer: for words; None without recordings.
    """

    settings: Settings
    clips: Mapping[float, Path]
    recordings: Sequence[Recording]
    cold_starts: int
    streams: Sequence[StreamSetting]
    stream_recordings: Sequence[Path]
    normalizer: Normalizer | None

    @property
    def batch_duration(self) -> float:
        """Seconds of each utterance of a batch."""
        return min(self.clips, key=lambda duration: abs(duration - BATCH_SECONDS))

    def runs(self, engines: Sequence[Engine]) -> int:
        """How often ``Fleet.after_run`` will be called."""
        settings, total = self.settings, self.cold_starts * len(engines)
        for threads in settings.threads:
            members = able(engines, threads, settings)
            batches = sum(engine.takes_batches for engine in members) * len(settings.batch_sizes)
            total += (settings.rounds + settings.warmup) * (
                len(members) * len(self.clips) + batches
            )
        if self.recordings:
            total += len(engines) * (len(self.clips) + len(self.recordings))
        streaming = sum(engine.streams for engine in engines)
        return total + streaming * len(self.streams) * (1 + len(self.stream_recordings))


@dataclass
class Measurements:
    """By the engine's name, as far as it got.

    Attributes:
        done: parts that were finished, in their order; of others there may be something as well.
    """

    cold_start: dict[str, list[ColdStart]] = field(default_factory=dict)
    latency: dict[str, list[Latency]] = field(default_factory=dict)
    throughput: dict[str, list[Throughput]] = field(default_factory=dict)
    streaming: dict[str, list[Streaming]] = field(default_factory=dict)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing at all was measured yet."""
        return not any(
            (self.cold_start, self.latency, self.throughput, self.streaming, self.accuracy)
        )


def able(engines: Sequence[Engine], threads: int, settings: Settings) -> list[Engine]:
    """Those that can use so many threads; at the least number, all."""
    return [engine for engine in engines if engine.threaded or threads == settings.threads[0]]


def measure(
    plan: Plan,
    fleet: Fleet,
    rates: MachineRates,
    found: Measurements,
    *,
    before_part: Callable[[str], object] = lambda part: None,
    after_step: Callable[[], object] = lambda: None,
) -> None:
    """Everything, part by part.

    Args:
        plan: what to measure.
        fleet: the engines, all fit to run; those that fail are named in it afterwards.
        rates: takes the machine's rates between the engines' runs.
        found: takes the measurements as they come, so that an exception leaves them there.
        before_part: called with the name of each part.
        after_step: called whenever ``found`` has got something that took long to measure.
    """

    @contextlib.contextmanager
    def part(name: str) -> Iterator[None]:
        before_part(name)
        yield
        found.done.append(name)
        after_step()

    with part("cold start"):
        _measure_cold_start(plan, fleet, found)
    for threads in plan.settings.threads:
        name = "latency, 1 thread" if threads == 1 else f"latency, {threads} threads"
        members = able(fleet.engines, threads, plan.settings)
        with (
            part(name),
            fleet.started(members, threads) as processes,
            rates.on_threads(threads),
        ):
            _measure_latency(plan, processes, threads, rates, found, after_step)
            _measure_throughput(plan, processes, threads, found, after_step)
    least = plan.settings.threads[0]
    if plan.recordings:
        with part("word error rate"), fleet.started(fleet.engines, least) as processes:
            _measure_accuracy(plan, processes, found)
    streaming = [engine for engine in fleet.engines if engine.streams]
    if streaming:
        with part("streams"), fleet.started(streaming, 1) as processes:
            _measure_streaming(plan, processes, found, after_step)


def _measure_cold_start(plan: Plan, fleet: Fleet, found: Measurements) -> None:
    threads, clip = plan.settings.threads[0], plan.clips[plan.batch_duration]

    def start(engine: Engine) -> ColdStart:
        process = fleet.start(engine, threads)
        try:
            _, timing = process.transcribe(clip)
            total = time.perf_counter() - process.started
        finally:
            process.close()
        return ColdStart(process.import_seconds, process.load_seconds, timing.wall, total)

    for number in range(plan.cold_starts):
        for engine, sample in fleet.each(fleet.engines, number, start):
            found.cold_start.setdefault(engine.name, []).append(sample)


def _measure_latency(
    plan: Plan,
    processes: Processes,
    threads: int,
    rates: MachineRates,
    found: Measurements,
    after_step: Callable[[], object],
) -> None:
    # Shorter audio first: the peak of memory never falls again.
    for duration, clip in sorted(plan.clips.items()):
        timings = processes.in_rounds(
            lambda process, clip=clip: process.transcribe(clip)[1],  # type: ignore[misc]
            rounds=plan.settings.rounds,
            warmup=plan.settings.warmup,
            after_round=rates.sample,
        )
        overloaded = (load_average() or 0) > logical_cores() + _OTHER_LOAD
        on_gpu = gpu_memory()
        peaks = processes.tell(lambda process: (process.peak_memory(), process.pid))
        for engine, (peak, pid) in peaks:
            rounds = timings[engine.name]
            wall = tuple(timing.wall for timing in rounds.counted)
            row = Latency(
                duration=duration,
                threads=threads,
                wall=wall,
                cpu=tuple(timing.cpu for timing in rounds.counted),
                warmup_wall=tuple(timing.wall for timing in rounds.warmup),
                peak_rss=peak,
                noisy=overloaded or scattered(wall),
                peak_gpu_memory=on_gpu.get(pid),
            )
            found.latency.setdefault(engine.name, []).append(row)
        after_step()


def _measure_throughput(
    plan: Plan,
    processes: Processes,
    threads: int,
    found: Measurements,
    after_step: Callable[[], object],
) -> None:
    duration = plan.batch_duration
    batching = processes.only(lambda engine: engine.takes_batches)
    for size in plan.settings.batch_sizes:
        timings = batching.in_rounds(
            lambda process, size=size: process.transcribe_batch(plan.clips[duration], size),  # type: ignore[misc]
            rounds=plan.settings.rounds,
            warmup=plan.settings.warmup,
        )
        for name, rounds in timings.items():
            wall = tuple(timing.wall for timing in rounds.counted)
            row = Throughput(size, threads, duration, wall)
            found.throughput.setdefault(name, []).append(row)
        after_step()


def _measure_accuracy(plan: Plan, processes: Processes, found: Measurements) -> None:
    assert plan.normalizer is not None
    normalize = plan.normalizer.apply
    for clip in plan.clips.values():  # warm-up, with torch.compile's compiling
        deque(processes.each(0, lambda process, clip=clip: process.transcribe(clip)), maxlen=0)  # type: ignore[misc]
    errors: dict[str, list[tuple[int, int]]] = {}
    times: dict[str, list[Timing]] = {}
    for number, recording in enumerate(plan.recordings):
        reference = normalize(recording.text)
        answers = processes.each(
            number,
            lambda process, audio=recording.audio: process.transcribe(audio),  # type: ignore[misc]
        )
        for engine, (text, timing) in answers:
            counted = count_errors(reference, normalize(text))
            errors.setdefault(engine.name, []).append(counted)
            times.setdefault(engine.name, []).append(timing)
    audio = sum(recording.duration for recording in plan.recordings)
    for name, pairs in errors.items():
        wrong, words = (sum(pair[index] for pair in pairs) for index in (0, 1))
        found.accuracy[name] = Accuracy(
            word_error_rate=wrong / max(1, words),
            errors=wrong,
            words=words,
            wall=sum(timing.wall for timing in times[name]),
            cpu=sum(timing.cpu for timing in times[name]),
            audio=audio,
            per_recording=tuple(pairs),
        )


def count_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Wrong words, and words of the reference; of nothing at all, each word is one too many."""
    words = len(reference.split())
    return (word_errors(reference, hypothesis) if words else len(hypothesis.split())), words


def _measure_streaming(
    plan: Plan, processes: Processes, found: Measurements, after_step: Callable[[], object]
) -> None:
    for setting in plan.streams:
        chunks: dict[str, list[float]] = {}
        finishes: dict[str, list[float]] = {}
        # The first once more than it counts, as warm-up.
        for number, audio in enumerate([plan.stream_recordings[0], *plan.stream_recordings], -1):
            answers = processes.each(
                number,
                lambda process, audio=audio, setting=setting: process.stream(  # type: ignore[misc]
                    audio, setting.chunk_ms, setting.lookahead_ms
                ),
            )
            for engine, (spent, finish) in answers:
                if number < 0:
                    continue
                chunks.setdefault(engine.name, []).extend(spent)
                finishes.setdefault(engine.name, []).append(finish)
        for name in finishes:
            row = Streaming(
                setting.chunk_ms, setting.lookahead_ms, tuple(chunks[name]), tuple(finishes[name])
            )
            found.streaming.setdefault(name, []).append(row)
        after_step()
