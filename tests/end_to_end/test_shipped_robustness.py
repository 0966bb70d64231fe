"""The shipped model where nothing is said, and where speech is faint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr_runtime import Recognizer
from asr_train.augmentation.waveform import change_level
from asr_train.data.audio_store import FileStore, Samples
from asr_train.data.manifest import read_manifest
from asr_train.evaluation.metrics import error_rates

RATE = 16_000


def _time(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


def _white(seconds: float, level_db: float) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(round(seconds * RATE)) * 10 ** (level_db / 20)


def _pulsed_chord(seconds: float) -> np.ndarray:
    time = _time(seconds)
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (261.63, 329.63, 392.0))
    return 0.1 * chord * (np.sin(2 * np.pi * 2.0 * time) > 0)


def _melody(seconds: float) -> np.ndarray:
    """Plucked notes with harmonics, two a second."""
    time = _time(0.5)
    notes = []
    for number in range(round(2 * seconds)):
        pitch = 220.0 * 2 ** ((0, 4, 7, 12, 9, 5, 2, 11)[number % 8] / 12)
        tone = sum(np.sin(2 * np.pi * pitch * k * time) / k**2 for k in range(1, 7))
        notes.append(0.3 * tone * np.exp(-5 * time))
    return np.concatenate(notes)


def _sweep(seconds: float) -> np.ndarray:
    time = _time(seconds)
    return 0.3 * np.sin(2 * np.pi * (100 * time + 0.5 * (3900 / seconds) * time**2))


NOTHING_SAID = {
    "digital silence": np.zeros(30 * RATE),
    "white noise": _white(20, -20),
    "faint white noise": _white(20, -60),
    "loud white noise": _white(10, -10),
    "a tone": 0.3 * np.sin(2 * np.pi * 440 * _time(15)),
    "a pulsed chord": _pulsed_chord(20),
    "a melody": _melody(15),
    "a sweep": _sweep(10),
}


@pytest.fixture(scope="module", params=["greedy", "beam"])
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    return Recognizer.load(device="cpu", decoder=request.param)


@pytest.mark.parametrize("sound", NOTHING_SAID)
def test_no_text_where_nothing_is_said(recognizer: Recognizer, sound: str) -> None:
    samples: Samples = NOTHING_SAID[sound].astype(np.float32)
    assert recognizer.transcribe(samples, RATE).text == ""


def test_faint_speech_is_read_nearly_as_well(shared_data: Path) -> None:
    rows = read_manifest(shared_data / "dev.jsonl")[::3]
    store = FileStore(rows)
    recognizer = Recognizer.load(device="cpu", decoder="greedy")
    rates = []
    for gain_db in (0.0, -20.0):
        audio = [(change_level(store[index], gain_db), RATE) for index in range(len(rows))]
        heard = [transcript.text for transcript in recognizer.transcribe_batch(audio)]
        rates.append(error_rates([row.text for row in rows], heard).word_error_rate)
    plain, faint = rates
    assert faint <= plain + 0.02
