"""A recording of many hours from short clips, and what ``asr-run`` makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from asr_bench.errors import BenchError
from asr_bench.measuring import measured_command
from asr_bench.measuring.environment import measured_variables
from asr_runtime.audio.audio_reader import read_audio
from asr_runtime.audio.waveform import to_waveform
from asr_runtime.model_file.contract import SAMPLE_RATE
from asr_train.data.manifest import Utterance
from asr_train.evaluation.metrics import error_rates

SILENCE_SECONDS = (0.3, 2.5)
"""Shortest and longest silence between two clips, in seconds."""

_CLIPS_A_COMMAND = 200


@dataclass(frozen=True)
class Recording:
    """A file, and which clips it is made of.

    Attributes:
        path: WAV file.
        duration: Length in seconds.
        clips: Index of each clip in the order they are spoken.
        starts: Seconds where each clip begins.
    """

    path: Path
    duration: float
    clips: tuple[int, ...]
    starts: tuple[float, ...]


@dataclass(frozen=True)
class Measured:
    """One command: seconds, CPU seconds, peak memory in bytes, and the objects it printed."""

    seconds: float
    cpu_seconds: float
    peak_memory: int
    transcripts: tuple[dict[str, Any], ...]


def build_recording(
    clips: Sequence[Utterance], seconds: float, path: Path, *, seed: int
) -> Recording:
    """Write clips in their order, again and again, with silence between them, until it is enough.

    The last clip is whole, so the recording is a few seconds longer than asked for.

    Args:
        clips: What is said.
        seconds: Least length.
        path: WAV file to write.
        seed: Seed of the silences.
    """
    random = np.random.default_rng(seed)
    order: list[int] = []
    starts: list[float] = []
    position = 0
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16", format="WAV") as file:
        while position < seconds * SAMPLE_RATE:
            index = len(order) % len(clips)
            samples = to_waveform(*read_audio(clips[index].audio), SAMPLE_RATE).samples
            silence = round(random.uniform(*SILENCE_SECONDS) * SAMPLE_RATE)
            order.append(index)
            starts.append(position / SAMPLE_RATE)
            file.write(samples)
            file.write(np.zeros(silence, np.float32))
            position += len(samples) + silence
    return Recording(path, position / SAMPLE_RATE, tuple(order), tuple(starts))


def run_command(files: Sequence[Path], options: Sequence[str]) -> Measured:
    """Transcribe files with ``asr-run`` in a process of its own.

    Raises:
        BenchError: The command failed; the message says why.
    """
    command = [sys.executable, "-m", "asr_runtime", "--format", "json", *options]
    done = subprocess.run(
        [sys.executable, measured_command.__file__, *command, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env=measured_variables(),
    )
    *said, measured = done.stderr.splitlines()
    cost = json.loads(measured)
    if cost.pop("status") != 0:
        raise BenchError(f"asr-run failed: {'; '.join(said)}")
    transcripts = tuple(json.loads(line) for line in done.stdout.splitlines())
    return Measured(**cost, transcripts=transcripts)


def texts_alone(
    clips: Sequence[Utterance], options: Sequence[str], after_clips: Callable[[int], object]
) -> list[str]:
    """Transcribe each clip by itself."""
    texts = []
    for begin in range(0, len(clips), _CLIPS_A_COMMAND):
        part = [clip.audio for clip in clips[begin : begin + _CLIPS_A_COMMAND]]
        texts += [transcript["text"] for transcript in run_command(part, options).transcripts]
        after_clips(len(part))
    return texts


def texts_within(recording: Recording, transcript: dict[str, Any]) -> list[str]:
    """Return what was heard of each clip: the words whose middle lies before the next clip."""
    heard: list[list[str]] = [[] for _ in recording.clips]
    # A character is recognised at its end rather than its beginning, but never before the clip.
    for word in transcript["words"]:
        index = bisect_right(recording.starts, (word["start"] + word["end"]) / 2) - 1
        heard[index].append(word["text"])
    return [" ".join(words) for words in heard]


def word_error_rate(
    clips: Sequence[Utterance], order: Sequence[int], texts: Sequence[str]
) -> float:
    """Return the word error rate of texts of clips in some order."""
    return error_rates([clips[index].text for index in order], texts).word_error_rate
