"""The changes of ``augmentation`` for a whole padded batch at once, on the device that trains.

A GPU takes thousands of seconds of audio a second; no few processor cores change that much one
utterance after the other. What is done, in which order and how likely, is the same; the draws are
not, and the speed is one for the batch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import fftconvolve, mu_law_decoding, mu_law_encoding, resample

from asr_train.augmentation.config import AugmentationConfig
from asr_train.augmentation.non_speech import non_speech
from asr_train.augmentation.waveform import (
    DECAY,
    DIRECT_DB,
    LEVEL_DB,
    SLOPE,
    SNR_DB,
    power_of_two,
)
from asr_train.model.config import SAMPLE_RATE
from asr_train.model.features import length_mask

#: Sounds without words to choose from, and how long they are; longer utterances get them repeated.
SOUNDS, SOUND_SECONDS = 256, 8


class BatchAugmenter:
    """Augments batches; the same seed gives the same changes."""

    def __init__(self, config: AugmentationConfig, device: torch.device, seed: int) -> None:
        """Make the sounds without words once.

        Args:
            config: what is done to a batch.
            device: where batches lie.
            seed: of the sounds without words.
        """
        self._config, self._device = config, device
        self._sounds: Tensor | None = None
        if config.non_speech:
            size = SOUND_SECONDS * SAMPLE_RATE
            rng = np.random.default_rng(seed)
            sounds = np.stack([non_speech(size, rng) for _ in range(SOUNDS)])
            self._sounds = torch.from_numpy(sounds).to(device)

    def __call__(
        self, samples: Tensor, lengths: Tensor, shortest: Tensor, seed: int
    ) -> tuple[Tensor, Tensor, list[bool]]:
        """A changed batch.

        Args:
            samples: float32 [batch, samples], 16 kHz, zeros past the end.
            lengths: int64 [batch], samples.
            shortest: int64 [batch], samples that the transcript needs for CTC; an utterance that
                speed would make shorter keeps its own.
            seed: of the batch.

        Returns:
            Samples and lengths, and for each utterance whether it is still speech: where it is not,
            its transcript is empty.
        """
        config = self._config
        rng = np.random.default_rng(seed)
        generator = torch.Generator(self._device).manual_seed(seed)
        if config.speed:
            samples, lengths = change_speed(
                samples, lengths, shortest, 1.0 + rng.uniform(-config.speed, config.speed)
            )
        count = len(samples)
        mask = length_mask(lengths, samples.shape[1])
        for probability, change in (
            (config.reverb, reverberate),
            (config.noise, add_noise),
            (config.band_limit, telephone_channel),
            (config.volume, change_levels),
        ):
            rows = self._draw(count, probability, rng)
            if rows is not None:
                samples = samples.index_copy(0, rows, change(samples[rows], mask[rows], generator))
        if (rows := self._draw(count, config.silence, rng)) is not None:
            samples, lengths = pad_with_silence(samples, lengths, rows, generator)
        speech = [True] * count
        if (
            self._sounds is not None
            and (rows := self._draw(count, config.non_speech, rng)) is not None
        ):
            samples = samples.index_copy(0, rows, self._without_words(rows, samples.shape[1], rng))
            samples = samples * length_mask(lengths, samples.shape[1])
            for row in rows.tolist():
                speech[row] = False
        return samples, lengths, speech

    def _draw(self, count: int, probability: float, rng: np.random.Generator) -> Tensor | None:
        """Places of the utterances that a change of this probability happens to; None for none."""
        rows = np.flatnonzero(rng.random(count) < probability)
        return torch.from_numpy(rows).to(self._device) if rows.size else None

    def _without_words(self, rows: Tensor, size: int, rng: np.random.Generator) -> Tensor:
        assert self._sounds is not None
        chosen = torch.from_numpy(rng.integers(SOUNDS, size=len(rows))).to(self._device)
        repeats = -(-size // self._sounds.shape[1])
        return self._sounds[chosen].repeat(1, repeats)[:, :size]


def change_speed(
    samples: Tensor, lengths: Tensor, shortest: Tensor, factor: float
) -> tuple[Tensor, Tensor]:
    """Play ``factor`` times as fast, pitch included, where CTC allows.

    Args:
        samples: float32 [batch, samples], zeros past the end.
        lengths: int64 [batch], samples.
        shortest: int64 [batch], samples that CTC needs; an utterance that would become shorter
            stays as it is.
        factor: rounded to a hundredth.

    Returns:
        Samples [batch, samples] and lengths [batch].
    """
    percent = round(100 * factor)
    changed = resample(samples, percent, 100)
    # PyTorch rounds the resampled length down or up, by the factor.
    changed_lengths = (lengths * 100 + percent - 1) // percent
    changed_lengths = changed_lengths.clamp(max=changed.shape[1])
    fits = changed_lengths >= shortest
    size = max(samples.shape[1], changed.shape[1])
    samples = torch.nn.functional.pad(samples, (0, size - samples.shape[1]))
    changed = torch.nn.functional.pad(changed, (0, size - changed.shape[1]))
    lengths = torch.where(fits, changed_lengths, lengths)
    samples = torch.where(fits[:, None], changed, samples)
    # Resampling rings past the end; and there may be more room now than anyone needs.
    size = int(lengths.max())
    return samples[:, :size] * length_mask(lengths, size), lengths


def reverberate(samples: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Convolve each utterance with a direct path and a decaying tail of noise of its own.

    Args:
        samples: float32 [batch, samples].
        mask: bool [batch, samples], which of them are inside the utterances.
        generator: of the tails.
    """
    device = samples.device
    decay = _uniform(len(samples), DECAY, generator)
    direct_db = _uniform(len(samples), DIRECT_DB, generator)
    time = torch.arange(round(DECAY[1] * SAMPLE_RATE), device=device) / SAMPLE_RATE
    tail = torch.randn(len(samples), len(time), device=device, generator=generator)
    tail = tail * 10.0 ** (-3.0 * time / decay) * (time < decay)
    tail = tail * 10.0 ** (-direct_db / 20.0) / tail.square().sum(1, keepdim=True).sqrt()
    tail[:, 0] = 1.0
    # The transform's length is a power of two: one with a large prime factor is many times slower.
    size = power_of_two(samples.shape[1] + len(time))
    tail = torch.nn.functional.pad(tail, (0, size - samples.shape[1] + 1 - len(time)))
    wet: Tensor = fftconvolve(samples, tail)[:, : samples.shape[1]] * mask
    return wet


def add_noise(samples: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise to float32 [batch, samples] at 5 to 30 dB SNR, none to digital silence."""
    snr_db = _uniform(len(samples), SNR_DB, generator)
    slope = _uniform(len(samples), SLOPE, generator)
    size = power_of_two(samples.shape[1])
    white = torch.randn(len(samples), size, device=samples.device, generator=generator)
    spectrum = torch.fft.rfft(white)
    frequency = torch.arange(spectrum.shape[1], device=samples.device, dtype=torch.float32)
    frequency[0] = torch.inf  # no constant offset
    noise = torch.fft.irfft(spectrum * frequency ** (-slope / 2.0), size)[:, : samples.shape[1]]
    count = mask.sum(1, keepdim=True)
    power = samples.square().sum(1, keepdim=True) / count
    noise_power = (noise * mask).square().sum(1, keepdim=True) / count
    gain = (power / 10.0 ** (snr_db / 10.0) / noise_power.clamp(min=1e-30)).sqrt()
    noisy: Tensor = samples + gain * noise * mask
    return noisy


def telephone_channel(samples: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Take float32 [batch, samples] down to 8 kHz and 8-bit mu-law, and back."""
    narrow = resample(samples, SAMPLE_RATE, SAMPLE_RATE // 2).clamp(-1.0, 1.0)
    coded = mu_law_decoding(mu_law_encoding(narrow, 256), 256)
    wide = resample(coded, SAMPLE_RATE // 2, SAMPLE_RATE)
    fitted: Tensor = wide[:, : samples.shape[1]] * mask
    return fitted


def change_levels(samples: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Scale float32 [batch, samples] by -20 to +6 dB each, and clip at full scale."""
    gain_db = _uniform(len(samples), LEVEL_DB, generator)
    louder: Tensor = (samples * 10.0 ** (gain_db / 20.0)).clamp(-1.0, 1.0)
    return louder


def pad_with_silence(
    samples: Tensor, lengths: Tensor, rows: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Put up to a second of zeros before and after some rows of [batch, samples]."""
    before, after = (
        torch.zeros_like(lengths).index_copy(
            0,
            rows,
            torch.randint(
                SAMPLE_RATE + 1, (len(rows),), device=samples.device, generator=generator
            ),
        )
        for _ in range(2)
    )
    longer = lengths + before + after
    size = int(longer.max())
    source = torch.arange(size, device=samples.device) - before[:, None]
    inside = (source >= 0) & (source < lengths[:, None])
    moved = samples.gather(1, source.clamp(0, samples.shape[1] - 1))
    return moved * inside, longer


def _uniform(count: int, bounds: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Even draws, float32 [count, 1]."""
    low, high = bounds
    draws = torch.rand(count, 1, device=generator.device, generator=generator)
    return low + (high - low) * draws
