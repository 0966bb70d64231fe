"""Changes to a waveform that leave its words alone: speed, room, noise, band, level.

And, now and then, a sound without words in its place. Everything is generated in code; no noise
or room recordings are needed. Each change is a probability or a range that can be switched off.
They act on training data only.
"""

from __future__ import annotations

import numpy as np
import soxr
import torch
from torchaudio.functional import fftconvolve, mu_law_decoding, mu_law_encoding

from asr_train.augmentation.config import AugmentationConfig
from asr_train.augmentation.non_speech import coloured_noise, non_speech
from asr_train.data.audio_store import Samples
from asr_train.model.config import SAMPLE_RATE, ModelConfig
from asr_train.model.vocabulary import min_frames_for_ctc

#: What is drawn from, evenly: reverberation time (s) and direct sound over its tail (dB) of a room;
#: signal-to-noise ratio (dB) and slope of noise, see ``add_noise``; change of level (dB).
DECAY, DIRECT_DB = (0.1, 0.6), (0.0, 12.0)
SNR_DB, SLOPE = (5.0, 30.0), (0.0, 2.0)
LEVEL_DB = (-20.0, 6.0)


def augment(samples: Samples, config: AugmentationConfig, rng: np.random.Generator) -> Samples:
    """A changed copy of ``samples`` [samples] (16 kHz); speed and silence change its length."""
    if config.speed:
        samples = change_speed(samples, 1.0 + rng.uniform(-config.speed, config.speed))
    if rng.random() < config.reverb:
        samples = reverberate(samples, rng.uniform(*DECAY), rng.uniform(*DIRECT_DB), rng)
    if rng.random() < config.noise:
        samples = add_noise(samples, rng.uniform(*SNR_DB), rng.uniform(*SLOPE), rng)
    if rng.random() < config.band_limit:
        samples = telephone_channel(samples)
    if rng.random() < config.volume:
        samples = change_level(samples, rng.uniform(*LEVEL_DB))
    # No draw where it is off: runs recorded before it existed can be repeated.
    if config.silence and rng.random() < config.silence:
        before, after = rng.integers(0, SAMPLE_RATE, 2, endpoint=True)
        samples = np.pad(samples, (before, after))
    return samples


class Augmenter:
    """Augments utterances so that each epoch hears them differently, and a resumed run alike."""

    def __init__(self, config: AugmentationConfig, model: ModelConfig, seed: int) -> None:
        """Prepare one epoch.

        Args:
            config: what is done to an utterance.
            model: for the number of frames that CTC needs.
            seed: of the run and the epoch.
        """
        self._config, self._model, self._seed = config, model, seed

    def __call__(self, index: int, samples: Samples, text: str) -> tuple[Samples, str]:
        """Change utterance ``index`` [samples], unless too few frames for CTC would be left."""
        rng = np.random.default_rng((self._seed, index))
        if rng.random() < self._config.non_speech:
            return non_speech(len(samples), rng), ""
        changed = augment(samples, self._config, rng)
        fits = self._model.frames(len(changed)) >= min_frames_for_ctc(text)
        return (changed if fits else samples), text


def change_speed(samples: Samples, factor: float) -> Samples:
    """Play [samples] ``factor`` times as fast, pitch included."""
    changed: Samples = soxr.resample(samples, SAMPLE_RATE * factor, SAMPLE_RATE, quality="LQ")
    return changed


def reverberate(
    samples: Samples, decay: float, direct_db: float, rng: np.random.Generator
) -> Samples:
    """Convolve with a direct path and a tail of noise.

    Args:
        samples: float32 [samples].
        decay: seconds in which the tail falls by 60 dB (the reverberation time).
        direct_db: energy of the direct path over the tail's, dB.
        rng: of the tail.
    """
    time = np.arange(round(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(time.size) * 10.0 ** (-3.0 * time / decay)
    tail *= 10.0 ** (-direct_db / 20.0) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    # The transform's length is a power of two: one with a large prime factor is ten times slower.
    room = np.zeros(power_of_two(len(samples) + tail.size) - len(samples) + 1, dtype=np.float32)
    room[: tail.size] = tail
    wet = fftconvolve(torch.from_numpy(samples), torch.from_numpy(room))
    reverberant: Samples = wet[: len(samples)].numpy()
    return reverberant


def add_noise(samples: Samples, snr_db: float, slope: float, rng: np.random.Generator) -> Samples:
    """Add noise whose power falls with frequency to the power ``slope`` (0 white, 2 brown).

    Args:
        samples: float32 [samples].
        snr_db: signal-to-noise ratio, dB.
        slope: exponent of the fall.
        rng: of the noise.
    """
    power = float(np.mean(samples.astype(np.float64) ** 2))
    if power == 0.0:
        return samples
    noise = coloured_noise(len(samples), slope, rng).astype(np.float64)
    noise *= np.sqrt(power / 10.0 ** (snr_db / 10.0) / max(float(np.mean(noise**2)), 1e-30))
    return (samples + noise).astype(np.float32)


def telephone_channel(samples: Samples) -> Samples:
    """Take [samples] down to 8 kHz and 8-bit mu-law and back: what a call sounds like."""
    narrow = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE // 2, quality="LQ")
    levels = 256
    coded = mu_law_encoding(torch.from_numpy(np.clip(narrow, -1.0, 1.0)), levels)
    decoded = mu_law_decoding(coded, levels).numpy()
    wide = soxr.resample(decoded, SAMPLE_RATE // 2, SAMPLE_RATE, quality="LQ")
    fitted = np.zeros_like(samples)
    size = min(len(wide), len(samples))
    fitted[:size] = wide[:size]
    return fitted


def change_level(samples: Samples, gain_db: float) -> Samples:
    """Scale [samples] by ``gain_db`` decibels, and clip at full scale."""
    louder: Samples = np.clip(samples * np.float32(10.0 ** (gain_db / 20.0)), -1.0, 1.0)
    return louder


def power_of_two(least: int) -> int:
    """The least one that is not below ``least``: transforms of such a length are fast."""
    return 1 << (least - 1).bit_length()
