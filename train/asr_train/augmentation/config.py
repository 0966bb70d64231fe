"""Settings of everything that changes training audio and features."""

from __future__ import annotations

from dataclasses import dataclass

from asr_train.settings import check_settings, setting


@dataclass(frozen=True)
class AugmentationConfig:
    """What is done to an utterance's waveform, in this order; the default does nothing.

    ``asr_train.augmentation.waveform`` does it one by one, ``batched`` for a whole batch.
    """

    speed: float = setting(
        0.0,
        "Speed and pitch change by up to this fraction (Ko et al. 2015): 0.1 gives 0.9 to 1.1.",
        least=0,
        most=0.5,
    )
    reverb: float = setting(
        0.0,
        "Probability of a room: an exponentially decaying tail of noise.",
        least=0,
        most=1,
    )
    noise: float = setting(
        0.0,
        "Probability of added noise, white to brown, at 5 to 30 dB signal-to-noise ratio.",
        least=0,
        most=1,
    )
    band_limit: float = setting(
        0.0,
        "Probability of a telephone channel: 8 kHz sampling and 8-bit companding.",
        least=0,
        most=1,
    )
    volume: float = setting(
        0.0,
        "Probability of a level change of -20 to +6 dB, with clipping as a recorder would.",
        least=0,
        most=1,
    )
    silence: float = setting(
        0.0,
        "Probability of digital silence before and after, up to a second each.",
        least=0,
        most=1,
    )
    non_speech: float = setting(
        0.0,
        "Fraction of the utterances that give way to a sound without words of their length, "
        "with an empty transcript.",
        least=0,
        most=1,
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class MaskingConfig:
    """SpecAugment (Park et al. 2019, arXiv:1904.08779) without warping of time, and formants."""

    freq_mask: int = setting(15, "Widest frequency mask, mel bands; 0 for none.", least=0)
    time_mask: int = setting(35, "Longest time mask, mel frames; 0 for none.", least=0)
    freq_masks: int = setting(1, "Frequency masks per utterance.", least=0)
    time_masks: int = setting(1, "Time masks per utterance.", least=0)
    vocal_tract: float = setting(
        0.0, "Formants move by up to this fraction; 0 for not at all.", least=0, most=0.3
    )

    def __post_init__(self) -> None:
        check_settings(self)
