"""All measurements of a run: the same audio for every engine, round by round."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asr_bench.engines.engine import Engine
from asr_bench.engines.engine_process import EngineProcess, Timing
from asr_bench.engines.pool import EnginePool, Processes
from asr_bench.measuring.environment import load_average, logical_cores
from asr_bench.measuring.gpu_memory import gpu_memory
from asr_bench.measuring.reliability import scattered
from asr_bench.results import Accuracy, ColdStart, Latency, Streaming, Throughput
from asr_bench.runs.deviation import measure_deviation
from asr_bench.runs.machine_rates import MachineRates
from asr_bench.runs.plan import Measurements, Plan, StreamSetting, able
from asr_train.evaluation.metrics import word_errors

#: An engine on all cores makes a load of that many by itself; above that it is others' work.
_OTHER_LOAD = 0.5

Step = Callable[[], object]


def measure(
    plan: Plan,
    pool: EnginePool,
    rates: MachineRates,
    measurements: Measurements,
    *,
    before_part: Callable[[str], object] = lambda part: None,
    after_step: Step = lambda: None,
) -> None:
    """Measure everything, part by part.

    Args:
        plan: What to measure.
        pool: The engines, all fit to run; those that fail are named in it afterwards.
        rates: Takes the machine's rates between the engines' runs.
        measurements: Takes what was measured as it comes, so that an exception leaves it there.
        before_part: Called with the name of each part.
        after_step: Called whenever there is something new that took long to measure.
    """

    @contextlib.contextmanager
    def part(name: str) -> Iterator[None]:
        before_part(name)
        yield
        measurements.done.append(name)
        after_step()

    run = _Run(plan, pool, rates, measurements, after_step)
    least = plan.settings.threads[0]
    if "cold start" in plan.parts:
        with part("cold start"):
            run.cold_start()
    for threads in plan.settings.threads if "latency" in plan.parts else ():
        name = "latency, 1 thread" if threads == 1 else f"latency, {threads} threads"
        members = able(pool.engines, threads, plan.settings)
        with (
            part(name),
            pool.started(members, threads) as processes,
            rates.on_threads(threads),
        ):
            run.latency(processes, threads)
            if "throughput" in plan.parts:
                run.throughput(processes, threads)
    if "words" in plan.parts and plan.recordings:
        with part("word error rate"), pool.started(pool.engines, least) as processes:
            run.accuracy(processes)
    if "log-probabilities" in plan.parts:
        members = [engine for engine in pool.engines if engine.gives_log_probs]
        with part("log-probabilities"), pool.started(members, least) as processes:
            measure_deviation(plan, processes, measurements)
    streaming = [engine for engine in pool.engines if engine.streams]
    if "streams" in plan.parts and streaming:
        with part("streams"), pool.started(streaming, 1) as processes:
            for setting in plan.streams:
                run.streaming(processes, setting)


@dataclass(frozen=True)
class _Run:
    """The arguments of ``measure``, which all of its parts need."""

    plan: Plan
    pool: EnginePool
    rates: MachineRates
    measurements: Measurements
    after_step: Step

    def cold_start(self) -> None:
        threads = self.plan.settings.threads[0]
        clip = self.plan.clips[self.plan.batch_duration]

        def start(engine: Engine) -> ColdStart:
            process = self.pool.start(engine, threads)
            try:
                _, timing = process.transcribe(clip)
                total = time.perf_counter() - process.started
            finally:
                process.close()
            return ColdStart(process.import_seconds, process.load_seconds, timing.wall, total)

        # Once more than it counts: the first compiles the sources and reads the files.
        for index in range(-1, self.plan.cold_starts):
            for engine, sample in self.pool.each(self.pool.engines, index, start):
                if index >= 0:
                    self.measurements.cold_start.setdefault(engine.name, []).append(sample)

    def latency(self, processes: Processes, threads: int) -> None:
        settings = self.plan.settings

        def run(duration: float, process: EngineProcess) -> Timing:
            clip = self.plan.clips[duration]
            if settings.task == "log_probs":
                return process.log_probs(clip)
            return process.transcribe(clip)[1]

        # Shorter audio first, because the peak of memory never falls again.
        for duration in sorted(self.plan.clips):
            timings = processes.in_rounds(
                partial(run, duration),
                rounds=settings.rounds,
                warmup=settings.warmup,
                after_round=self.rates.sample,
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
                self.measurements.latency.setdefault(engine.name, []).append(row)
            self.after_step()

    def throughput(self, processes: Processes, threads: int) -> None:
        settings, duration = self.plan.settings, self.plan.batch_duration

        def run(size: int, process: EngineProcess) -> Timing:
            return process.transcribe_batch(self.plan.clips[duration], size)

        batching = processes.only(lambda engine: engine.takes_batches)
        for size in settings.batch_sizes:
            timings = batching.in_rounds(
                partial(run, size), rounds=settings.rounds, warmup=settings.warmup
            )
            for name, rounds in timings.items():
                wall = tuple(timing.wall for timing in rounds.counted)
                row = Throughput(size, threads, duration, wall)
                self.measurements.throughput.setdefault(name, []).append(row)
            self.after_step()

    def accuracy(self, processes: Processes) -> None:
        assert self.plan.normalizer is not None
        normalize = self.plan.normalizer.apply

        def run(audio: Path, process: EngineProcess) -> tuple[str, Timing]:
            return process.transcribe(audio)

        for clip in self.plan.clips.values():  # warm-up, with torch.compile's compiling
            deque(processes.each(0, partial(run, clip)), maxlen=0)
        errors: dict[str, list[tuple[int, int]]] = {}
        times: dict[str, list[Timing]] = {}
        for index, recording in enumerate(self.plan.recordings):
            reference = normalize(recording.text)
            for engine, (text, timing) in processes.each(index, partial(run, recording.audio)):
                counted = count_errors(reference, normalize(text))
                errors.setdefault(engine.name, []).append(counted)
                times.setdefault(engine.name, []).append(timing)
        audio = sum(recording.duration for recording in self.plan.recordings)
        for name, pairs in errors.items():
            wrong, words = (sum(pair[index] for pair in pairs) for index in (0, 1))
            self.measurements.accuracy[name] = Accuracy(
                word_error_rate=wrong / max(1, words),
                errors=wrong,
                words=words,
                wall=sum(timing.wall for timing in times[name]),
                cpu=sum(timing.cpu for timing in times[name]),
                audio=audio,
                per_recording=tuple(pairs),
            )

    def streaming(self, processes: Processes, setting: StreamSetting) -> None:
        normalize = self.plan.normalizer.apply if self.plan.normalizer else str
        chunk_ms, lookahead_ms = setting.chunk_ms, setting.lookahead_ms
        recordings = self.plan.stream_recordings
        rows: dict[str, Streaming] = {}
        # The first once more than it counts, as warm-up.
        for index, recording in enumerate([recordings[0], *recordings], -1):
            answers = processes.each(
                index,
                lambda process, audio=recording.audio: process.stream(  # type: ignore[misc]
                    audio, chunk_ms, lookahead_ms
                ),
            )
            for engine, stream in answers:
                if index < 0:
                    continue
                before = rows.get(engine.name, Streaming(chunk_ms, lookahead_ms, (), ()))
                counted = count_errors(normalize(recording.text), normalize(stream.text))
                rows[engine.name] = Streaming(
                    chunk_ms,
                    lookahead_ms,
                    (*before.chunk_seconds, *stream.chunk_seconds),
                    (*before.finish_seconds, stream.finish_seconds),
                    stream.latency,
                    (*before.per_recording, counted) if self.plan.recordings else (),
                )
        for name, row in rows.items():
            self.measurements.streaming.setdefault(name, []).append(row)
        self.after_step()


def count_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Count wrong words, and words of the reference.

    Where nothing was said, each word of the hypothesis is one too many.
    """
    words = len(reference.split())
    return (word_errors(reference, hypothesis) if words else len(hypothesis.split())), words
