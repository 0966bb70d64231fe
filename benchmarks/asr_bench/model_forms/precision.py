"""What each form and precision of a model costs and keeps: size, time, memory, accuracy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr_bench.measuring.timing import Contender, interleave
from asr_bench.model_forms.form_process import FormProcess
from asr_bench.model_forms.latency import LatencySettings
from asr_export.formats.registry import load_backend
from asr_export.loading.backends import TorchBackend
from asr_export.verification.probe import probe_signal
from asr_export.verification.transcripts import TranscriptSet, transcribe_recordings
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.data.audio_store import FileStore
from asr_train.data.manifest import Utterance
from asr_train.evaluation.metrics import error_rates


@dataclass(frozen=True)
class Accuracy:
    """Of one form.

    Attributes:
        max_difference: largest |Δ log-probability| from the checkpoint in float32.
        mean_difference: mean of the same.
        word_error_rate: greedy; None without recordings, as is the next.
        equal_texts: part of the recordings whose text is the checkpoint's.
    """

    max_difference: float
    mean_difference: float
    word_error_rate: float | None = None
    equal_texts: float | None = None


@dataclass(frozen=True)
class Cost:
    """Of one form, in a process of its own.

    Attributes:
        seconds: of every run, in the order of the rounds that all forms share.
        peak_memory: bytes resident at most, over loading and all runs; None where the system does
            not tell.
    """

    seconds: tuple[float, ...]
    peak_memory: int | None


CHECKPOINT = "checkpoint"


def measure_accuracy(
    checkpoint: Checkpoint,
    files: Mapping[str, Path],
    *,
    utterances: Sequence[Utterance],
    probe_seconds: float,
) -> dict[str, Accuracy]:
    """Every form against the checkpoint, and the checkpoint itself, first.

    Args:
        checkpoint: the reference, at float32.
        files: the forms by label.
        utterances: what to read, passed by ``select``; a generated signal if there is nothing.
        probe_seconds: length of that signal.
    """
    forms = {
        CHECKPOINT: TorchBackend(checkpoint.model),
        **{label: load_backend(path) for label, path in files.items()},
    }
    if not utterances:
        signal = probe_signal(probe_seconds, seed=0)
        return {
            label: Accuracy(reading.max_difference, reading.mean_difference)
            for label, reading in transcribe_recordings(forms, [probe_seconds], [signal]).items()
        }
    durations = [row.duration for row in utterances]
    readings = transcribe_recordings(forms, durations, FileStore(utterances))
    references = [row.text for row in utterances]
    return {
        label: _accuracy(references, reading, readings[CHECKPOINT])
        for label, reading in readings.items()
    }


def measure_cost(
    files: Mapping[str, Path],
    settings: LatencySettings,
    folder: Path,
    *,
    start: Callable[[Path, Path], FormProcess] = FormProcess,
    after_round: Callable[[], None] = lambda: None,
) -> dict[str, Cost]:
    """Time and memory of every form, all in rounds as in ``timing.interleave``.

    Args:
        files: the forms by label.
        settings: of one duration and one thread.
        folder: for the signal.
        start: makes the process for a model and a signal.
        after_round: called after each round, warm-up included.
    """
    (duration,) = settings.durations
    signal = folder / "signal.npy"
    np.save(signal, probe_signal(duration, seed=0))
    watch = _Stopwatch()
    with contextlib.ExitStack() as stack:
        processes = {
            label: stack.enter_context(start(path, signal)) for label, path in files.items()
        }
        contenders = [
            Contender(label, lambda process=process: watch.add(process.run()))  # type: ignore[misc]
            for label, process in processes.items()
        ]
        seconds = interleave(
            contenders,
            rounds=settings.rounds,
            warmup=settings.warmup,
            clock=watch.read,
            after_round=after_round,
        )
        return {
            label: Cost(seconds[label], process.peak_memory())
            for label, process in processes.items()
        }


class _Stopwatch:
    """A clock that only the processes' own measurements move: no pipe is in them."""

    def __init__(self) -> None:
        self._now = 0.0

    def add(self, seconds: float) -> None:
        self._now += seconds

    def read(self) -> float:
        return self._now


def _accuracy(
    references: Sequence[str], reading: TranscriptSet, checkpoint: TranscriptSet
) -> Accuracy:
    return Accuracy(
        max_difference=reading.max_difference,
        mean_difference=reading.mean_difference,
        word_error_rate=error_rates(references, reading.texts).word_error_rate,
        equal_texts=reading.equal_texts(checkpoint) / len(references),
    )
