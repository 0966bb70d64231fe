"""The model inside the package reads the demo clip."""

from pathlib import Path

import numpy as np
import pytest

import asr_runtime
from asr_runtime import Recognizer

PACKAGE = Path(asr_runtime.__file__).parent
MODEL = PACKAGE / "models" / "edge.onnx"
LANGUAGE_MODEL = PACKAGE / "models" / "english.lm"
CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
SPOKEN = (
    "the old man sat by the window and watched the river go by he had all the time in the world"
)

pytestmark = pytest.mark.skipif(
    not (MODEL.exists() and LANGUAGE_MODEL.exists()),
    reason="asr_runtime/models is not complete in this installation",
)


@pytest.fixture(scope="module")
def default() -> Recognizer:
    return Recognizer.load(device="cpu")


def character_errors(heard: str, spoken: str) -> int:
    """The Levenshtein distance."""
    row = list(range(len(spoken) + 1))
    for number, letter in enumerate(heard, 1):
        diagonal, row[0] = row[0], number
        for index, wanted in enumerate(spoken, 1):
            substituted = diagonal + (letter != wanted)
            diagonal = row[index]
            row[index] = min(substituted, row[index] + 1, row[index - 1] + 1)
    return row[-1]


@pytest.fixture(scope="module")
def greedy() -> Recognizer:
    return Recognizer.load(device="cpu", decoder="greedy")


def test_demo_clip(default, greedy):
    transcript = default.transcribe(CLIP)
    # A small model on a synthetic voice: the language model mends most of what it misspells.
    assert default.decoder == "beam"
    assert character_errors(transcript.text, SPOKEN) <= len(SPOKEN) * 0.1, transcript.text
    assert transcript.duration == pytest.approx(6.526, abs=0.001)
    times = [(word.start, word.end) for word in transcript.words]
    assert times == sorted(times)
    assert 0 < times[0][0] < 1
    assert times[-1][1] <= transcript.duration
    assert greedy.decoder == "greedy"
    plain = greedy.transcribe(CLIP)
    assert character_errors(plain.text, SPOKEN) <= len(SPOKEN) * 0.25, plain.text
    # The same voice at the same times.
    assert transcript.words[0].start == pytest.approx(plain.words[0].start, abs=0.1)
    assert transcript.words[-1].end == pytest.approx(plain.words[-1].end, abs=0.1)


def test_silence_has_no_text(default):
    assert default.transcribe(np.zeros(3 * 16000), 16000).text == ""


@pytest.mark.parametrize("level", [0.001, 0.01, 0.1])
@pytest.mark.parametrize("kind", ["noise", "hum", "tone"])
def test_what_is_no_speech_has_no_words(default, greedy, kind, level):
    """The language model makes no words out of what the sound alone gives no letters."""
    time = np.arange(3 * 16000) / 16000
    sound = {
        "noise": np.random.default_rng(0).standard_normal(len(time)),
        "hum": np.sin(2 * np.pi * 50 * time),
        "tone": np.sin(2 * np.pi * 1000 * time),
    }[kind]
    heard = default.transcribe(level * sound, 16000).text
    assert len(heard) <= len(greedy.transcribe(level * sound, 16000).text) + 2, heard


def test_hotword_is_preferred(default):
    """A fish that sounds as "go by" does, which the language model expects far more."""
    assert "goby" not in default.transcribe(CLIP).text.split()
    hoping = Recognizer.load(device="cpu", hotwords=["Goby", "unheard"])
    words = hoping.transcribe(CLIP).text.split()
    assert "goby" in words
    assert "unheard" not in words


def test_card(default):
    assert default.card.sample_rate == 16000
    assert len(default.card.vocabulary) == 29
