"""Text-to-speech engines with many voices each, made from the few they bring.

Both install from PyPI with their voices inside (``pip install 'asr-export[synthesis]'``) and speak
tens of times faster than real time on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from asr_train.errors import ConfigError
from asr_train.model.config import SAMPLE_RATE

if TYPE_CHECKING:
    from asr_train.data.audio_store import Samples

#: Says a text in a voice drawn from the generator: (samples, name of the voice).
Speak = Callable[[str, np.random.Generator], "tuple[Samples, str]"]


class Engine(str, Enum):
    """The engines by their packages' names.

    Attributes:
        hibari: PyPI hibari-tts, Apache-2.0.
        nanotts: PyPI py-nanotts (SVOX Pico), Apache-2.0.
    """

    hibari = "hibari"
    nanotts = "nanotts"


def load_engine(engine: Engine) -> Speak:
    """Load an engine; ``ConfigError`` says what to install when it is missing."""
    try:
        return _hibari() if engine is Engine.hibari else _nanotts()
    except ImportError as error:
        raise ConfigError(
            f"engine {engine.value} is not installed ({error}); "
            "install it with: pip install 'asr-export[synthesis]'"
        ) from None


def _hibari() -> Speak:
    """One neural voice whose vocoder takes pitch and spectral envelope apart: any throat."""
    import soxr
    from hibari import Hibari, dsp

    engine = Hibari()

    def speak(text: str, rng: np.random.Generator) -> tuple[Samples, str]:
        # Long throats have low voices: the two scales are drawn around one another.
        formants = rng.uniform(0.82, 1.14)
        pitch = float(np.clip(formants**2.5 * rng.uniform(0.72, 1.2), 0.48, 1.3))
        pace = np.float32(rng.uniform(0.8, 1.25))
        parts = []
        for phonemes in engine.phonemize(text):
            ids = np.asarray([engine.ids(phonemes)], np.int64)
            outputs = engine.sess.run(None, {"ids": ids, "speed": np.asarray([pace])})
            harmonic, turn, noise, free, phase, f0 = (output[0] for output in outputs)
            f0 = _livelier(f0 * pitch, rng.uniform(0.7, 1.4))
            spectra = [_scale_formants(x, formants) for x in (harmonic, turn, noise, free, phase)]
            parts.append(dsp.synth(*spectra, f0, rng))
        if not parts:
            return np.zeros(0, dtype=np.float32), ""
        speech = soxr.resample(np.concatenate(parts), engine.sample_rate, SAMPLE_RATE, quality="LQ")
        return speech, f"hibari-{formants:.2f}-{pitch:.2f}"

    return speak


def _nanotts() -> Speak:
    """Two voices (US, GB), pitch and pace; played faster or slower they become others."""
    import soxr
    from py_nanotts import NanoTTS

    engine = NanoTTS()

    def speak(text: str, rng: np.random.Generator) -> tuple[Samples, str]:
        voice = ("en-US", "en-GB")[rng.integers(2)]
        size, pitch = rng.uniform(0.85, 1.12), rng.uniform(0.75, 1.15)
        # A smaller speaker is the recording played faster, spoken slower to keep the pace.
        pace = rng.uniform(0.85, 1.25) / size
        data = engine.speak(text, voice=voice, speed=pace, pitch=pitch)
        pcm = np.frombuffer(data, dtype="<i2").astype(np.float32) / 32768.0
        if not pcm.size:
            return pcm, ""
        speech: Samples = soxr.resample(pcm, SAMPLE_RATE * size, SAMPLE_RATE, quality="LQ")
        return speech, f"{voice}-{size:.2f}-{pitch:.2f}"

    return speak


def _scale_formants(spectrum: Any, scale: float) -> Any:
    """Stretch [bins, frames] along frequency; the top bin repeats where nothing is left."""
    position = np.arange(len(spectrum)) / scale
    lower = np.minimum(position.astype(int), len(spectrum) - 2)
    part = np.minimum(position - lower, 1.0).astype(np.float32)[:, None]
    return spectrum[lower] * (1.0 - part) + spectrum[lower + 1] * part


def _livelier(f0: Any, factor: float) -> Any:
    """Widen or flatten the melody around its mean; unvoiced frames (below 40 Hz) stay."""
    voiced = f0 > 40.0
    if not voiced.any():
        return f0
    middle = np.exp(np.log(f0[voiced]).mean())
    moved = middle * (np.maximum(f0, 1.0) / middle) ** factor
    return np.where(voiced, np.clip(moved, 45.0, 600.0), f0).astype(np.float32)
