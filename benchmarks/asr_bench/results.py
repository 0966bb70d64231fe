"""What a run measured, every sample: the contents of ``results.json`` (see ``results_file``).

Samples are in the order of the rounds. All engines share the rounds, so samples at one index were
taken while the machine was in one state: they are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from asr_bench.measuring.environment import Environment

Seconds = tuple[float, ...]
Kind = Literal["runtime", "backend", "peer"]
Task = Literal["transcribe", "log_probs"]


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    Attributes:
        durations: Lengths of the timed audio in seconds.
        threads: Numbers of threads.
        batch_sizes: Numbers of utterances given together.
        rounds: Timed rounds per measurement.
        warmup: Untimed rounds before them.
        quick: Whether few durations, rounds and recordings were taken.
        recordings: Number of recordings for word error rates; 0 without a manifest.
        recording_seconds: Length of these together.
        normalizer: What made references and hypotheses comparable before words were counted; None
            when no words were.
        task: What was timed of an utterance: its transcript, or the network alone.
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
    task: Task = "transcribe"


@dataclass(frozen=True)
class Rooflines:
    """What the machine can do, by number of threads, measured between the engines' runs.

    Attributes:
        sgemm_gflops: 10^9 floating-point operations a second in a large fp32 matrix product, of
            the library that was the faster in each round.
        memory_copy_gbytes: 10^9 bytes copied a second, too many for any cache.
        sgemm_by_library: As ``sgemm_gflops``, by the name of the library.
    """

    sgemm_gflops: Mapping[int, Seconds]
    memory_copy_gbytes: Mapping[int, Seconds]
    sgemm_by_library: Mapping[str, Mapping[int, Seconds]] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelInfo:
    """A model under test.

    Attributes:
        name: Name of the weights.
        parameters: Number of trainable weights; None for a model file.
        checkpoint_sha256: Digest of the checkpoint's weights; None if they are random.
        operations_per_second_of_audio: Floating-point operations; None where unknown.
    """

    name: str
    parameters: int | None = None
    checkpoint_sha256: str | None = None
    operations_per_second_of_audio: float | None = None


@dataclass(frozen=True)
class ColdStart:
    """Time to the first text of a fresh process, in seconds.

    Attributes:
        import_: Importing the engine's packages.
        load: Loading the model.
        first: The first transcription.
        total: From the start of the process to the text; Python's own start is in no other part.
    """

    import_: float
    load: float
    first: float
    total: float


@dataclass(frozen=True)
class Latency:
    """One utterance at a time.

    Attributes:
        duration: Length of the audio in seconds.
        threads: Threads of the engine.
        wall: Wall time of every run in seconds.
        cpu: CPU time of all cores together in the same runs.
        warmup_wall: Wall time of the runs before them.
        peak_rss: Peak resident bytes up to the end of these runs, in a process that had run only
            shorter audio before; 0 where the system does not tell.
        noisy: Whether the samples scatter too much, or other work kept the machine busy.
        peak_gpu_memory: Peak bytes on NVIDIA GPUs; None where the engine takes none or the system
            does not tell.
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
    """``batch_size`` utterances of ``duration`` seconds given together; ``wall`` is for all."""

    batch_size: int
    threads: int
    duration: float
    wall: Seconds


@dataclass(frozen=True)
class Streaming:
    """Live streams on one thread.

    Attributes:
        chunk_ms: Audio that goes through the model at a time, in milliseconds.
        lookahead_ms: Audio that a chunk waits for beyond its end, in milliseconds.
        chunk_seconds: Computing time of each chunk of each recording.
        finish_seconds: Time from the end of each recording to its last text.
        latency: Seconds from a sound until the samples that its text waits for have arrived.
        per_recording: Wrong words and words of each recording; empty without a manifest.
    """

    chunk_ms: float
    lookahead_ms: float
    chunk_seconds: Seconds
    finish_seconds: Seconds
    latency: float | None = None
    per_recording: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Accuracy:
    """Words of the manifest's recordings, one at a time on the least number of threads.

    Attributes:
        word_error_rate: ``errors`` over ``words``.
        errors: Words substituted, left out and put in.
        words: Words of the references.
        wall: Wall time of all recordings together in seconds.
        cpu: CPU time of all cores together.
        audio: Length of the recordings in seconds.
        per_recording: Errors and words of each.
    """

    word_error_rate: float
    errors: int
    words: int
    wall: float
    cpu: float
    audio: float
    per_recording: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Deviation:
    """Log-probabilities compared with those of a reference engine.

    Attributes:
        reference: Name of that engine.
        recordings: Number of recordings; 0 for a generated signal.
        max_difference: Largest absolute difference of a log-probability.
        mean_difference: Mean absolute difference.
        same_texts: Share of the recordings with the same greedy text; None without recordings.
    """

    reference: str
    recordings: int
    max_difference: float
    mean_difference: float
    same_texts: float | None = None


@dataclass(frozen=True)
class EngineResult:
    """One engine with one model.

    Attributes:
        name: Unique name.
        kind: This project's runtime, another way to run the same weights, or another project.
        model: Name of the model.
        version: Version of the engine; empty when it is not installed.
        model_bytes: Size of the files it loads.
        install_bytes: Size of its packages, and the models in them, with all they depend on.
        operations_per_second_of_audio: Floating-point operations; None for other projects' models.
        skipped: Why it was not measured, or failed; then the rest is empty.
        cold_start: One entry for each fresh process.
        latency: Entries by threads, then duration.
        throughput: Entries of engines that take batches.
        streaming: Entries of engines that stream.
        accuracy: None without a manifest.
        deviation: None without a reference.
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
    deviation: Deviation | None = None


@dataclass(frozen=True)
class Results:
    """The whole document.

    Attributes:
        environment: The machine before the run.
        settings: What was asked for.
        rooflines: What the machine can do.
        engines: All engines that were chosen.
        complete: Whether the run came to its end; if not, it was interrupted, or still goes on.
        done: Parts that were finished, in their order; of the next one there may be something.
        models: Models under test.
    """

    environment: Environment
    settings: Settings
    rooflines: Rooflines
    engines: tuple[EngineResult, ...]
    # Files of earlier versions lack some of these.
    complete: bool = True
    done: tuple[str, ...] = ()
    models: tuple[ModelInfo, ...] = ()
