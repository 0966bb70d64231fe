"""Sounds without words, made in code: silence, noise, hum, tones, chords, clicks.

A recogniser that has heard nothing but speech finds words in everything. Some of these among the
training data, with an empty transcript, teach it to stay silent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from asr_train.data.audio_store import Samples
from asr_train.model.config import SAMPLE_RATE


def non_speech(size: int, rng: np.random.Generator) -> Samples:
    """A random sound without words, float32 [size], peaking at -60 to -6 dB; or silence."""
    kinds: list[Callable[[int, np.random.Generator], Samples]] = [
        _silence,
        _noise,
        _noise,
        _hum,
        _notes,
        _notes,
        _clicks,
    ]
    sound = kinds[rng.integers(len(kinds))](size, rng)
    peak = float(np.abs(sound).max(initial=0.0))
    level = 10.0 ** (rng.uniform(-60.0, -6.0) / 20.0)
    return (sound * (level / peak)).astype(np.float32) if peak else sound


def coloured_noise(size: int, slope: float, rng: np.random.Generator) -> Samples:
    """Noise, float32 [size], whose power falls with frequency to ``slope`` (0 white, 2 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequency = np.arange(len(spectrum), dtype=np.float64)
    frequency[0] = np.inf  # no constant offset
    noise: Samples = np.fft.irfft(spectrum * frequency ** (-slope / 2.0), size).astype(np.float32)
    return noise


def _silence(size: int, rng: np.random.Generator) -> Samples:
    return np.zeros(size, dtype=np.float32)


def _noise(size: int, rng: np.random.Generator) -> Samples:
    return coloured_noise(size, rng.uniform(0.0, 2.0), rng)


def _hum(size: int, rng: np.random.Generator) -> Samples:
    """Mains hum or a machine: a low tone with harmonics, and some noise."""
    time = np.arange(size) / SAMPLE_RATE
    pitch = rng.uniform(45.0, 180.0)
    sound = sum(
        rng.uniform(0.1, 1.0) / number * np.sin(2 * np.pi * (pitch * number * time + rng.random()))
        for number in range(1, 9)
    )
    noise = coloured_noise(size, 1.0, rng)
    hiss = rng.uniform(0.0, 0.3) / max(float(np.std(noise)), 1e-12)
    return np.asarray(sound + hiss * noise, dtype=np.float32)


def _notes(size: int, rng: np.random.Generator) -> Samples:
    """Music-like: single notes or chords, held, pulsed or struck, with harmonics."""
    sound = np.zeros(size)
    voices = int(rng.integers(1, 5))
    decay = rng.choice([0.0, rng.uniform(1.0, 12.0)])  # 1/s; 0 holds the note
    pulse, depth = rng.uniform(1.0, 8.0), rng.choice([0.0, rng.random()])
    start = 0
    while start < size:
        length = min(size - start, int(rng.uniform(0.1, 2.5) * SAMPLE_RATE))
        time = np.arange(length) / SAMPLE_RATE
        envelope = np.exp(-decay * time) * np.minimum(1.0, time / 0.01)
        envelope *= 1.0 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * pulse * time))
        for _ in range(voices):
            pitch = 440.0 * 2.0 ** (rng.integers(-36, 36) / 12.0)
            fall = rng.uniform(1.0, 3.0)
            for number in range(1, int(rng.integers(2, 10))):
                if pitch * number < SAMPLE_RATE / 2:
                    tone = np.sin(2 * np.pi * (pitch * number * time + rng.random()))
                    sound[start : start + length] += envelope * tone / number**fall
        start += length
    return sound.astype(np.float32)


def _clicks(size: int, rng: np.random.Generator) -> Samples:
    """Knocks, keys and crackle: short decaying bursts."""
    sound = np.zeros(size)
    for position in rng.integers(0, size, max(1, int(size / SAMPLE_RATE * rng.uniform(0.5, 8.0)))):
        length = min(size - position, int(rng.uniform(0.002, 0.08) * SAMPLE_RATE))
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (0.2 * length + 1.0))
        sound[position : position + length] += rng.random() * burst
    return sound.astype(np.float32)
