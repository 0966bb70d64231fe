"""The audio of a run, as files of samples that all engines read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr_bench.engines.engine import SAMPLE_RATE
from asr_bench.exporting import probe_signal
from asr_bench.results import Settings
from asr_train.data.audio_store import decode
from asr_train.data.manifest import Utterance

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """One recording of the manifest.

    Attributes:
        audio: .npy file of float32 [samples], 16 kHz mono.
        duration: Length in seconds.
        text: What was said.
    """

    audio: Path
    duration: float
    text: str


def write_recordings(utterances: Sequence[Utterance], folder: Path) -> list[Recording]:
    """Decode every recording once; ``DataError`` names the row that cannot be."""
    recordings = []
    for index, row in enumerate(utterances):
        samples = decode(row)
        path = folder / f"recording-{index}.npy"
        np.save(path, samples)
        recordings.append(Recording(path, samples.size / SAMPLE_RATE, row.text))
    return recordings


def write_audio(
    rows: Sequence[Utterance], settings: Settings, folder: Path, *, speech: bool = True
) -> tuple[Settings, list[Recording], dict[float, Path]]:
    """Write all audio of a run.

    Args:
        rows: The manifest's rows.
        settings: What was asked for.
        folder: Where the files go.
        speech: Whether the clips are cut from the recordings, or else a generated signal.

    Returns:
        Settings that say how many recordings there are, these, and the clips by duration.
    """
    recordings = write_recordings(rows, folder)
    seconds = sum(recording.duration for recording in recordings)
    settings = replace(settings, recordings=len(recordings), recording_seconds=seconds)
    clips = write_clips(recordings if speech else [], settings.durations, folder)
    return settings, recordings, clips


def write_clips(
    recordings: Sequence[Recording], durations: Sequence[float], folder: Path
) -> dict[float, Path]:
    """Write a file for each duration: the recordings one after the other, again if need be.

    A decoder's work depends on what it hears, so speech is better than a generated signal, which
    is taken where there are no recordings.

    Args:
        recordings: Speech to cut the clips from.
        durations: Lengths in seconds.
        folder: Where the files go.

    Returns:
        Files by duration.
    """
    clips = {}
    for duration in durations:
        path = clips[duration] = folder / f"clip-{duration:g}.npy"
        if recordings:
            np.save(path, _speech(recordings, round(duration * SAMPLE_RATE)))
        else:
            np.save(path, probe_signal(duration))
    return clips


def _speech(recordings: Sequence[Recording], length: int) -> Samples:
    parts: list[Samples] = []
    missing = length
    while missing > 0:
        for recording in recordings:
            samples = np.load(recording.audio, allow_pickle=False)[: max(0, missing)]
            parts.append(samples)
            missing -= samples.size
    return np.concatenate(parts)
