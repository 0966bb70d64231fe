"""The signal that every export is compared on."""

from __future__ import annotations

import numpy as np

from asr_export.loading.backends import Floats
from asr_runtime.model_file.contract import SAMPLE_RATE


def probe_signal(seconds: float, seed: int) -> Floats:
    """Make a speech-like test signal: noise with speech's spectrum and syllables, and silence.

    Noise, not gliding vowels: those lead a trained model to near-ties between characters, where the
    last bit of an engine's float32 grows (against float64, PyTorch's to 6e-5, ONNX Runtime's
    to 3e-4), which tells nothing about the export. What an export can get wrong, every operator,
    length and batch, shows in noise as well, and there engines agree to 2e-5.

    Args:
        seconds: length of the signal.
        seed: of the noise; it moves the syllables and pauses too.

    Returns:
        Float32 [samples] at the contract's rate, -1 to 1.
    """
    rng = np.random.default_rng(seed)
    size = round(seconds * SAMPLE_RATE)
    time = np.arange(size) / SAMPLE_RATE
    spectrum = np.fft.rfft(rng.standard_normal(size))
    # Speech's long-term spectrum falls by 6 dB an octave above some 500 Hz.
    spectrum /= np.sqrt(1 + (np.fft.rfftfreq(size, 1 / SAMPLE_RATE) / 500) ** 2)
    noise = np.fft.irfft(spectrum, size)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time + seed), 0, 1)
    signal = (0.01 + 0.1 * syllables) * noise / noise.std()
    signal[np.sin(2 * np.pi * 0.21 * time + seed) > 0.9] = 0.0
    samples: Floats = signal.astype(np.float32)
    return samples
