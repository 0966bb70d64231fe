"""What ``asr-bench run`` measured, every sample: the contents of ``results.json``.

Samples stand in the order of the rounds. All engines share the rounds, so samples at one index
were taken when the machine was in one state: they are paired.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from asr_bench.errors import BenchError
from asr_bench.json_records import RecordError, from_json, to_json
from asr_bench.measuring.environment import Environment
from asr_train.output import replacing

FORMAT_VERSION = 1

Seconds = tuple[float, ...]
Kind = Literal["runtime", "backend", "peer"]


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    Attributes:
        durations: seconds of audio, of the latencies.
        threads: numbers of threads.
        batch_sizes: utterances given together, of the throughput.
        rounds: samples of everything.
        warmup: rounds before those, which count only as warm-up.
        quick: whether few durations, rounds and recordings were taken.
        recordings: of the manifest, that word error rates are of; 0 without a manifest.
        recording_seconds: of these together.
        normalizer: what made references and hypotheses comparable before words were counted; None
            when no words were.
    """

    durations: tuple[float, ...]
    threads: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    rounds: int
    warmup: int
    quick: bool
    recordings: int
    recording_seconds: float
    normalizer: str | None = None


@dataclass(frozen=True)
class Rooflines:
    """What the machine can do, by number of threads, measured between the engines' runs.

    Attributes:
        sgemm_gflops: 10^9 floating-point operations a second in a large fp32 matrix product.
        memory_copy_gbytes: 10^9 bytes copied a second, too many for any cache.
    """

    sgemm_gflops: Mapping[int, tuple[float, ...]]
    memory_copy_gbytes: Mapping[int, tuple[float, ...]]


@dataclass(frozen=True)
class ColdStart:
    """The first text of a fresh process, in seconds.

    Attributes:
        import_: of the engine's packages.
        load: of the model.
        first: of the first transcription.
        total: from the start of the process to the text; Python's own start is in no other part.
    """

    import_: float
    load: float
    first: float
    total: float


@dataclass(frozen=True)
class Latency:
    """One utterance at a time.

    Attributes:
        duration: seconds of audio.
        threads: of the engine.
        wall: seconds of every run.
        cpu: seconds of all cores together in the same runs.
        warmup_wall: seconds of the runs before those.
        peak_rss: bytes resident at most up to the end of these runs, in a process that had run only
            shorter audio before; 0 where the system does not tell.
        noisy: the samples scatter too much, or other work kept the machine busy.
        peak_gpu_memory: bytes likewise, of NVIDIA GPUs; None where the engine takes none or the
            system does not tell.
    """

    duration: float
    threads: int
    wall: Seconds
    cpu: Seconds
    warmup_wall: Seconds
    peak_rss: int
    noisy: bool
    peak_gpu_memory: int | None = None


@dataclass(frozen=True)
class Throughput:
    """Many utterances, each of ``duration`` seconds, given together; ``wall`` is of all of them."""

    batch_size: int
    threads: int
    duration: float
    wall: Seconds


@dataclass(frozen=True)
class Streaming:
    """Live streams on one thread.

    Attributes:
        chunk_ms: audio that goes through the model at a time.
        lookahead_ms: audio that it waits for beyond that.
        chunk_seconds: of computing for each chunk of each recording.
        finish_seconds: from the end of each recording to its last text.
    """

    chunk_ms: float
    lookahead_ms: float
    chunk_seconds: Seconds
    finish_seconds: Seconds


@dataclass(frozen=True)
class Accuracy:
    """On the recordings of the manifest, one at a time on the least number of threads.

    Attributes:
        word_error_rate: ``errors`` over ``words``.
        errors: words substituted, left out and put in.
        words: of the references.
        wall: seconds of all recordings together.
        cpu: likewise, of all cores.
        audio: seconds of the recordings.
        per_recording: errors and words of each.
    """

    word_error_rate: float
    errors: int
    words: int
    wall: float
    cpu: float
    audio: float
    per_recording: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class EngineResult:
    """One engine with one model.

    Attributes:
        name: unlike any other's.
        kind: this project's runtime, another way to run the same weights, or another project.
        model: which.
        version: of the engine; empty when it is not installed.
        model_bytes: of the files it loads.
        install_bytes: of its packages, and the models in them, with all they depend on.
        operations_per_second_of_audio: floating-point operations; None for other projects' models.
        skipped: why it was not measured, or failed; then the rest is empty.
        cold_start: one for each fresh process.
        latency: by threads, then duration.
        throughput: of engines that take batches.
        streaming: of engines that stream.
        accuracy: None without a manifest.
    """

    name: str
    kind: Kind
    model: str
    version: str
    model_bytes: int | None = None
    install_bytes: int | None = None
    operations_per_second_of_audio: float | None = None
    skipped: str | None = None
    cold_start: tuple[ColdStart, ...] = ()
    latency: tuple[Latency, ...] = ()
    throughput: tuple[Throughput, ...] = ()
    streaming: tuple[Streaming, ...] = ()
    accuracy: Accuracy | None = None


@dataclass(frozen=True)
class Results:
    """The whole document.

    Attributes:
        environment: before the run.
        settings: of the run.
        rooflines: of the machine.
        engines: all that were chosen.
        complete: whether the run came to its end; if not, it was interrupted, or still goes on.
        done: the parts that were finished, in their order; of the next one there may be something.
    """

    environment: Environment
    settings: Settings
    rooflines: Rooflines
    engines: tuple[EngineResult, ...]
    # A file without these was only written at the end of its run.
    complete: bool = True
    done: tuple[str, ...] = ()


def write_results(results: Results, path: Path) -> None:
    """Write the whole file or leave what is there; ``OutputError`` when it cannot be written."""
    document = {"format_version": FORMAT_VERSION, **to_json(results)}
    with replacing(path) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """The results in a file.

    Raises:
        BenchError: there is no such file, or it is not what ``write_results`` writes. The message
            says where.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BenchError(
            f"{path}: not JSON, so damaged or cut off ({error}); give a results.json"
        ) from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise BenchError(f"{path}: no format_version in it; give the results.json of asr-bench run")
    if document["format_version"] != FORMAT_VERSION:
        raise BenchError(
            f"{path}: of format version {document['format_version']!r}, and this program reads "
            f"{FORMAT_VERSION}; measure again"
        )
    try:
        results = from_json(Results, document)
        for problem in _problems(results):
            raise RecordError(problem)
    except RecordError as error:
        raise BenchError(f"{path}: damaged: {error}; measure again") from None
    return results


def read_complete_results(path: Path) -> Results:
    """The results in a file, of a run that came to its end.

    Raises:
        BenchError: as ``read_results``, or the run did not.
    """
    results = read_results(path)
    if not results.complete:
        raise BenchError(
            f"{path}: of a run that was interrupted or still goes on; give the results.json of "
            "one that ended"
        )
    return results


def _problems(results: Results) -> Iterator[str]:
    """What types do not say."""
    names = [engine.name for engine in results.engines]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        yield f"the engine {twice!r} is there twice"
    for engine in results.engines:
        if engine.skipped is not None and (
            engine.cold_start
            or engine.latency
            or engine.throughput
            or engine.streaming
            or engine.accuracy
        ):
            yield f"{engine.name} was skipped, but has measurements"
        yield from _time_problems(engine)
        yield from _accuracy_problems(engine)


def _time_problems(engine: EngineResult) -> Iterator[str]:
    for row in engine.latency:
        where = f"{engine.name} at {row.duration:g} s and {row.threads} threads"
        if not row.wall or len(row.wall) != len(row.cpu):
            yield f"{where} has {len(row.wall)} wall and {len(row.cpu)} CPU times"
    samples: list[Sequence[float]] = [
        *((start.import_, start.load, start.first, start.total) for start in engine.cold_start),
        *(times for row in engine.latency for times in (row.wall, row.cpu, row.warmup_wall)),
        *(row.wall for row in engine.throughput),
        *(times for row in engine.streaming for times in (row.chunk_seconds, row.finish_seconds)),
    ]
    if any(value < 0 for times in samples for value in times):
        yield f"{engine.name} has a time below 0"


def _accuracy_problems(engine: EngineResult) -> Iterator[str]:
    found = engine.accuracy
    if found is None:
        return
    errors, words = (sum(pair[index] for pair in found.per_recording) for index in (0, 1))
    if (found.errors, found.words) != (errors, words):
        yield f"{engine.name}'s word errors are not those of its recordings together"
