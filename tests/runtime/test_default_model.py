"""The model inside the package reads the demo clip."""

from pathlib import Path

import pytest

import asr_runtime
from asr_runtime import Recognizer

PACKAGE = Path(asr_runtime.__file__).parent
MODEL = PACKAGE / "models" / "edge.onnx"
CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
SPOKEN = (
    "the old man sat by the window and watched the river go by he had all the time in the world"
)

pytestmark = pytest.mark.skipif(
    not MODEL.exists(), reason="asr_runtime/models/edge.onnx is not in this installation"
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


def test_demo_clip(default):
    transcript = default.transcribe(CLIP)
    # A small model on a synthetic voice: most of it, not every letter.
    assert character_errors(transcript.text, SPOKEN) <= len(SPOKEN) * 0.25, transcript.text
    assert transcript.duration == pytest.approx(6.526, abs=0.001)
    times = [(word.start, word.end) for word in transcript.words]
    assert times == sorted(times)
    assert 0 < times[0][0] < 1
    assert times[-1][1] <= transcript.duration


def test_silence_has_no_text(default):
    import numpy as np

    assert default.transcribe(np.zeros(3 * 16000), 16000).text == ""


def test_card(default):
    assert default.card.sample_rate == 16000
    assert len(default.card.vocabulary) == 29
