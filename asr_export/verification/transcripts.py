"""What several backends of one model make of the same recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from asr_export.loading.backends import Backend, Floats, Integers
from asr_runtime.decoding.greedy import greedy_text
from asr_train.data.audio_store import AudioStore, Samples
from asr_train.data.batch_plan import plan_epoch
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

#: Padded audio of a batch, seconds: a backend must also be right on padded recordings.
BATCH_SECONDS = 60.0
_QUIET_SECONDS = 2.0  # shorter work shows no progress


@dataclass(frozen=True)
class TranscriptSet:
    """What one backend makes of the recordings, next to the reference.

    Attributes:
        texts: greedy transcripts, in the order of the recordings.
        max_difference: largest |Δ log-probability|, frames within the lengths; infinite where
            ``output_lengths`` differ.
        mean_difference: mean of the same.
    """

    texts: tuple[str, ...]
    max_difference: float
    mean_difference: float

    def equal_texts(self, reference: TranscriptSet) -> int:
        """Count the texts that are those of ``reference``."""
        pairs = zip(self.texts, reference.texts, strict=True)
        return sum(result == expected for result, expected in pairs)


def transcribe_recordings(
    backends: Mapping[str, Backend],
    durations: Sequence[float],
    store: AudioStore,
    *,
    progress: bool = True,
) -> dict[str, TranscriptSet]:
    """Run every backend on every recording, in batches.

    Args:
        backends: by name; the first is the reference.
        durations: seconds of each recording, about; they decide on the batches.
        store: the recordings.
        progress: show a bar on standard error when it takes long.

    Returns:
        The transcripts by the backend's name.

    Raises:
        DataError: a recording that cannot be decoded.
    """
    tallies = {name: _Tally(len(durations)) for name in backends}
    with tqdm(
        total=len(durations),
        desc="comparing",
        unit="recording",
        leave=False,
        delay=_QUIET_SECONDS,
        disable=not progress,
    ) as bar:
        for batch in plan_epoch(durations, BATCH_SECONDS):
            padded, lengths = _padded([store[index] for index in batch])
            expected: tuple[Floats, Integers] | None = None
            for name, backend in backends.items():
                result = backend(padded, lengths)
                expected = expected or result
                tallies[name].add(batch, result, expected)
            bar.update(len(batch))
    return {name: tally.transcripts() for name, tally in tallies.items()}


class _Tally:
    """Collects a ``TranscriptSet`` batch by batch."""

    def __init__(self, recordings: int) -> None:
        self._texts = [""] * recordings
        self._largest = self._sum = 0.0
        self._values = 0

    def add(
        self,
        batch: Sequence[int],
        result: tuple[Floats, Integers],
        expected: tuple[Floats, Integers],
    ) -> None:
        logprobs, frames = result
        for index, values, count in zip(batch, logprobs, frames.tolist(), strict=True):
            self._texts[index] = greedy_text(values[:count], VOCABULARY, BLANK_ID)
        if frames.tolist() != expected[1].tolist() or logprobs.shape != expected[0].shape:
            self._largest = self._sum = np.inf
            return
        inside = np.arange(logprobs.shape[1])[None, :] < frames[:, None]
        difference = np.abs(logprobs - expected[0])[inside]
        # np.maximum keeps a NaN
        self._largest = float(np.maximum(self._largest, difference.max()))
        self._sum += float(difference.sum(dtype=np.float64))
        self._values += difference.size

    def transcripts(self) -> TranscriptSet:
        return TranscriptSet(tuple(self._texts), self._largest, self._sum / max(1, self._values))


def _padded(recordings: Sequence[Samples]) -> tuple[Floats, Integers]:
    lengths = np.array([len(samples) for samples in recordings], dtype=np.int64)
    padded = np.zeros((len(recordings), lengths.max()), dtype=np.float32)
    for row, samples in zip(padded, recordings, strict=True):
        row[: len(samples)] = samples
    return padded, lengths
