"""Faint speech is amplified, other speech is left as it is, and what sounds wrong is told."""

import numpy as np
import pytest

from asr_runtime.audio.level import FaintSpeechGain, SignalCheck

RATE = 16000


def speech(seconds=4.0, level=0.1):
    """Syllables of noise over faint noise."""
    random = np.random.default_rng(0)
    count = int(seconds * RATE)
    loud = np.arange(count) // (RATE // 5) % 2
    samples = random.normal(0, 1, count) * np.where(loud, level, level * 0.003)
    return samples.astype(np.float32)


def amplified(samples, cuts=(), **options):
    gain = FaintSpeechGain(RATE, **options)
    parts = [gain.feed(part) for part in np.split(samples, cuts)]
    return np.concatenate([*parts, gain.finish()]), gain.remarks


@pytest.mark.parametrize("level", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("lookahead", [0.5, 60.0])
def test_usual_speech_is_untouched_bit_by_bit(level, lookahead):
    silence = 0.0001 * speech(2.0)
    for samples in (speech(level=level), np.concatenate([0 * silence, speech(level=level)])):
        result, remarks = amplified(samples, lookahead_seconds=lookahead)
        np.testing.assert_array_equal(result, samples)
        assert remarks == []


@pytest.mark.parametrize("decibels", [45, 60, 75])
def test_faint_speech_is_amplified_by_a_power_of_two(decibels):
    samples = speech(level=0.1 * 10 ** (-decibels / 20))
    result, remarks = amplified(samples)
    gain = result[samples != 0] / samples[samples != 0]
    assert len(np.unique(gain)) == 1
    assert np.log2(gain[0]) == round(np.log2(gain[0]))
    loudest = 20 * np.log10(np.sqrt(np.mean(result[3200:6400] ** 2)))
    assert -23 < loudest < -14
    assert len(remarks) == 1
    assert remarks[0].startswith("it is faint (-")


@pytest.mark.parametrize("lookahead", [0.5, 60.0])
def test_it_does_not_depend_on_how_samples_are_divided(lookahead):
    samples = np.concatenate([speech(level=1e-4), speech(level=0.003)])
    whole, _ = amplified(samples, lookahead_seconds=lookahead)
    cuts = np.sort(np.random.default_rng(1).integers(0, len(samples), 200))
    divided, _ = amplified(samples, cuts, lookahead_seconds=lookahead)
    np.testing.assert_array_equal(divided, whole)
    assert len(whole) == len(samples)


def test_no_sample_waits_longer_than_the_look_ahead():
    gain = FaintSpeechGain(RATE, 0.5)
    came = sum(len(gain.feed(part)) for part in np.split(speech(level=1e-4), 400))
    assert came >= 4.0 * RATE - 0.53 * RATE


def test_silence_stays_silence():
    zeros = np.zeros(RATE, np.float32)
    assert amplified(zeros)[0].max() == 0
    assert amplified(zeros)[1] == ["it is digital silence: every sample is 0"]
    gain = FaintSpeechGain(RATE, 0.5)
    assert len(gain.feed(zeros)) == RATE  # nobody waits for it
    steady = np.random.default_rng(0).normal(0, 1e-4, RATE).astype(np.float32)
    result, remarks = amplified(steady)
    np.testing.assert_array_equal(result, steady)
    assert remarks == ["it is nearly silent (-80 dBFS at most)"]


def test_a_click_is_no_speech():
    samples = speech(level=1e-4)
    samples[1000] = 0.9
    assert amplified(samples)[0][40_000:].std() > 0.01


@pytest.mark.parametrize(
    ("samples", "remark"),
    [
        (np.clip(3 * np.sin(np.arange(9000) / 7), -1, 1), "it is clipped: 78 % of its samples"),
        (0.3 + 0.01 * np.sin(np.arange(9000)), "it is one-sided: its samples lie around 0.30"),
        (0.99 * np.sin(np.arange(9000) / 7), None),
    ],
)
def test_wrong_recordings_are_told(samples, remark):
    check = SignalCheck()
    for part in np.split(samples.astype(np.float32)[:, None], 9):
        check.add(part)
    assert [each[: len(remark or "")] for each in check.remarks] == ([remark] if remark else [])


def test_faint_speech_has_its_text_and_a_warning(recognizer, speak):
    faint = speak("hello world") * np.float32(1e-3)
    transcript = recognizer.transcribe(faint, RATE)
    assert transcript.text == "hello world"
    assert transcript.warnings[0].startswith("it is faint")
    assert recognizer.transcribe(speak("hello world"), RATE).warnings == ()
    silent = recognizer.transcribe(np.zeros(RATE, np.float32), RATE)
    assert (silent.text, len(silent.warnings)) == ("", 1)
    assert silent.to_dict()["warnings"] == list(silent.warnings)
