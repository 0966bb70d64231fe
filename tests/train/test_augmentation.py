"""Each change does what it says, and repeats itself when a run is resumed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asr_train.augmentation.non_speech import non_speech
from asr_train.augmentation.waveform import (
    AugmentationConfig,
    Augmenter,
    add_noise,
    augment,
    change_level,
    change_speed,
    reverberate,
    telephone_channel,
)
from asr_train.data.audio_store import Samples
from asr_train.data.batching import Batch, Collate, UtteranceDataset
from asr_train.model.config import preset

EVERYTHING = AugmentationConfig(speed=0.1, reverb=1.0, noise=1.0, band_limit=1.0, volume=1.0)


def tone(frequency: float, seconds: float = 1.0) -> Samples:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (0.3 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def peak_frequency(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 16_000 / len(samples))


def level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def test_the_default_changes_nothing() -> None:
    samples = tone(440)
    changed = augment(samples, AugmentationConfig(), np.random.default_rng(0))
    np.testing.assert_array_equal(changed, samples)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_changes_length_and_pitch(factor: float) -> None:
    changed = change_speed(tone(1_000), factor)
    assert len(changed) == pytest.approx(16_000 / factor, rel=1e-3)
    assert peak_frequency(changed) == pytest.approx(1_000 * factor, rel=5e-3)


@pytest.mark.parametrize("snr", [5.0, 20.0])
@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_noise_has_its_level(snr: float, slope: float) -> None:
    samples = tone(440)
    noise = add_noise(samples, snr, slope, np.random.default_rng(0)) - samples
    assert level_db(samples) - level_db(noise) == pytest.approx(snr, abs=0.1)


def test_brown_noise_is_lower_than_white() -> None:
    def centre(slope: float) -> float:
        noise = add_noise(tone(440), 0.0, slope, np.random.default_rng(0)) - tone(440)
        power = np.abs(np.fft.rfft(noise)) ** 2
        return float(np.sum(power * np.arange(len(power))) / power.sum())

    assert centre(2.0) < 0.1 * centre(0.0)


def test_silence_stays_silent() -> None:
    silence = np.zeros(8_000, np.float32)
    changed = augment(silence, EVERYTHING, np.random.default_rng(0))
    assert np.abs(changed).max() < 1e-3  # no NaN; 8-bit companding has no exact zero


def test_a_room_rings_on() -> None:
    click = np.zeros(16_000, np.float32)
    click[100] = 0.5
    wet = reverberate(click, 0.4, 0.0, np.random.default_rng(0))
    assert wet.shape == click.shape
    assert wet[100] == pytest.approx(0.5, rel=1e-4)
    early, late = level_db(wet[200:1_000]), level_db(wet[3_000:3_800])
    # 60 dB in 0.4 s: between the two windows, 2,800 samples apart, 26 dB.
    assert early - late == pytest.approx(26, abs=3)


def test_a_telephone_is_narrow() -> None:
    assert level_db(telephone_channel(tone(1_000))) == pytest.approx(level_db(tone(1_000)), abs=1)
    assert level_db(telephone_channel(tone(6_000))) < level_db(tone(6_000)) - 20


def test_level_and_clipping() -> None:
    samples = tone(440)
    assert level_db(change_level(samples, -20)) == pytest.approx(level_db(samples) - 20, abs=0.01)
    assert np.abs(change_level(samples, 40)).max() == 1.0


def test_every_epoch_hears_another_version_and_repeats_it() -> None:
    def hear(seed: int, index: int = 3) -> Samples:
        samples, text = Augmenter(EVERYTHING, preset("edge"), seed)(index, tone(440), "abc")
        assert text == "abc"
        return samples

    np.testing.assert_array_equal(hear(1), hear(1))
    assert len(hear(1)) != len(hear(2)) or not np.allclose(hear(1), hear(2))
    assert len(hear(1)) != len(hear(1, index=4)) or not np.allclose(hear(1), hear(1, index=4))


def test_speed_never_leaves_too_few_frames() -> None:
    config = preset("edge")
    samples = tone(440, seconds=0.6)
    text = "ab" * (config.frames(len(samples)) // 2)  # as many characters as frames
    lengths = {
        len(Augmenter(AugmentationConfig(speed=0.3), config, seed)(0, samples, text)[0])
        for seed in range(20)
    }
    assert min(config.frames(length) for length in lengths) >= len(text)
    assert len(lengths) > 3, "slower versions are still made"


def test_silence_goes_around_an_utterance() -> None:
    speech = tone(440)
    longer = 0
    for seed in range(20):
        padded = augment(speech, AugmentationConfig(silence=0.5), np.random.default_rng(seed))
        longer += len(padded) > len(speech)
        assert len(padded) <= len(speech) + 2 * 16_000
        start = int(np.flatnonzero(padded)[0]) - 1  # the tone's first sample is 0
        np.testing.assert_array_equal(padded[start:][: len(speech)], speech)
        assert not padded[:start].any()
        assert not padded[start + len(speech) :].any()
    assert 5 < longer < 15


def test_sounds_without_words_take_their_share_with_an_empty_transcript() -> None:
    augmenter = Augmenter(AugmentationConfig(non_speech=0.25), preset("edge"), 0)
    speech = tone(440)
    heard = [augmenter(index, speech, "abc") for index in range(400)]
    replaced = [samples for samples, text in heard if text == ""]
    assert 70 < len(replaced) < 130
    assert all(samples.shape == speech.shape for samples in replaced)
    assert all(samples is speech for samples, text in heard if text)
    levels = [float(np.abs(samples).max()) for samples in replaced]
    assert min(levels) == 0.0, "digital silence is among them"
    assert max(levels) < 0.52
    assert len({samples.tobytes() for samples in replaced if samples.any()}) > 60


@pytest.mark.parametrize("size", [1, 7, 160, 16_000])
def test_sounds_without_words_have_any_length(size: int) -> None:
    for seed in range(40):
        samples = non_speech(size, np.random.default_rng(seed))
        assert samples.shape == (size,)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()


def test_the_data_set_gives_no_target_to_a_sound_without_words() -> None:
    augmenter = Augmenter(AugmentationConfig(non_speech=1.0), preset("edge"), 0)
    data = UtteranceDataset(["abc", "d"], [tone(440), tone(880)], augmenter)
    batch = Collate()([data[0], data[1]])
    assert isinstance(batch, Batch)
    assert batch.target_lengths.tolist() == [0, 0]
    assert batch.targets.dtype == torch.int64
    assert batch.samples.shape == (2, 16_000)


def test_the_data_set_augments() -> None:
    augmenter = Augmenter(EVERYTHING, preset("edge"), 0)
    item = UtteranceDataset(["abc"], [tone(440)], augmenter)[0]
    assert isinstance(item, tuple)
    index, samples, target = item
    assert (index, target) == (0, [2, 3, 4])
    assert len(samples) != 16_000
