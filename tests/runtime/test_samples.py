"""Arrays of any usual type, rate and layout."""

import numpy as np
import pytest

from asr_runtime import AudioContentError
from asr_runtime.audio.waveform import to_waveform

TEXT = "hello all"


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [
        (np.float16, 1, 0),
        (np.float32, 1, 0),
        (np.float64, 1, 0),
        (np.uint8, 127, 128),
        (np.int8, 127, 0),
        (np.int16, 32767, 0),
        (np.int32, 2147483000, 0),
        (">i2", 32767, 0),
    ],
)
def test_types_are_scaled_by_their_range(recognizer, speak, dtype, scale, offset):
    samples = (speak(TEXT).astype(np.float64) * scale + offset).astype(dtype)
    assert recognizer.transcribe(samples, 16000).text == TEXT
    waveform = to_waveform(samples, 16000, 16000)
    assert waveform.samples.dtype == np.float32
    np.testing.assert_allclose(waveform.samples, speak(TEXT), atol=0.02)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, np.int64(48000), 16000.0])
def test_rates(recognizer, speak, rate):
    transcript = recognizer.transcribe(speak(TEXT, int(rate)), rate)
    assert transcript.text == TEXT
    assert transcript.duration == pytest.approx(len(speak(TEXT)) / 16000, abs=0.001)


def test_channels_are_averaged(recognizer, speak):
    stereo = np.stack([speak(TEXT), np.zeros_like(speak(TEXT))], axis=1)
    assert recognizer.transcribe(stereo, 16000).text == TEXT
    np.testing.assert_allclose(to_waveform(stereo, 16000, 16000).samples, speak(TEXT) / 2)


def test_list_of_floats(recognizer, speak):
    assert recognizer.transcribe(speak(TEXT).tolist(), 16000).text == TEXT


def test_input_is_left_alone(recognizer, speak):
    samples = speak(TEXT)
    recognizer.transcribe(samples, 16000)
    np.testing.assert_array_equal(samples, speak(TEXT))


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (np.zeros(0), "no audio samples"),
        (np.zeros((0, 2)), "no audio samples"),
        (np.zeros((8, 0)), "no audio samples"),
        (np.zeros(400), r"0\.0250 s long and at least 0\.05 s"),
        (np.full(16000, np.nan), "NaN or infinite"),
        (np.full(16000, np.inf), "NaN or infinite"),
        (np.full(16000, 1e300), "NaN or infinite"),
        (np.full(16000, 1000.0), "divide by 32768"),
        (np.zeros((2, 16000)), r"\[channels, samples\]; transpose"),
        (np.zeros((2, 16000, 1)), r"shape \[2, 16000, 1\]"),
        (np.array(0.5), "shape"),
        (np.zeros(16000, np.int64), "int64 samples have no known scale"),
        (np.zeros(16000, np.complex64), "complex64"),
        (np.zeros(16000, bool), "bool"),
        (np.array(["a"] * 16000), "no known scale"),
    ],
)
def test_unusable_samples(recognizer, samples, problem):
    with pytest.raises(AudioContentError, match=problem) as caught:
        recognizer.transcribe(samples, 16000)
    assert caught.value.subject is None


@pytest.mark.parametrize("rate", [0, -16000, 999, 10**7, float("nan"), float("inf"), True, "fast"])
def test_bad_sample_rate(recognizer, speak, rate):
    with pytest.raises(AudioContentError, match="sample rate"):
        recognizer.transcribe(speak(TEXT), rate)


def test_samples_need_a_rate_and_files_have_one(recognizer, speak, tmp_path):
    with pytest.raises(TypeError, match="sample_rate"):
        recognizer.transcribe(speak(TEXT))
    with pytest.raises(TypeError, match="sample_rate"):
        recognizer.transcribe(tmp_path / "a.wav", 16000)


def test_integers_too_loud_for_float_are_fine(recognizer):
    full_scale = np.full(16000, -32768, np.int16)
    np.testing.assert_array_equal(to_waveform(full_scale, 16000, 16000).samples, -1.0)
