"""The rules of greedy CTC decoding, and what a transcript says about them."""

import math
import subprocess
import sys

import numpy as np
import pytest

from asr_runtime.decoding.greedy import greedy_decode, greedy_text
from asr_runtime.timed_text import Token
from asr_runtime.transcript import Transcript

VOCABULARY = ["a", "b", "c", " ", "_"]
BLANK = 4


def log_probs(path: str, probability: float = 0.8) -> np.ndarray:
    """[frames, 5] whose best path is `path`, one character a frame."""
    rest = (1 - probability) / (len(VOCABULARY) - 1)
    values = np.full((len(path), len(VOCABULARY)), rest)
    for frame, label in enumerate(path):
        values[frame, VOCABULARY.index(label)] = probability
    return np.log(values).astype(np.float32)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("abc", "abc"),
        ("aabbbc", "abc"),
        ("a_a", "aa"),
        ("a__aa_a", "aaa"),
        ("__a__", "a"),
        ("____", ""),
        ("    ", ""),
        ("a b", "a b"),
        ("a  _ _  b", "a b"),
        ("_ _a_ _b_ _", "a b"),
        ("a _", "a"),
        ("", ""),
        ("c", "c"),
    ],
)
def test_collapsing(path, text):
    values = log_probs(path)
    assert greedy_text(values, VOCABULARY, BLANK) == text
    decoding = greedy_decode(values, VOCABULARY, BLANK, 0.03)
    assert decoding.text == text
    assert "".join(token.text for token in decoding.tokens) == text


def test_any_class_can_be_the_blank():
    assert greedy_text(log_probs("abab"), VOCABULARY, 0) == "bb"


def test_times_are_those_of_the_frames():
    tokens = greedy_decode(log_probs("_aa_b__"), VOCABULARY, BLANK, 0.5).tokens
    assert [(token.text, token.start, token.end) for token in tokens] == [
        ("a", 0.5, 1.5),
        ("b", 2.0, 2.5),
    ]


def test_token_confidence_is_its_probability():
    values = np.concatenate([log_probs("a", 0.9), log_probs("a", 0.4), log_probs("_b", 0.7)])
    decoding = greedy_decode(values, VOCABULARY, BLANK, 0.03)
    first, second = decoding.tokens
    assert first.confidence == pytest.approx(math.sqrt(0.9 * 0.4))
    assert second.confidence == pytest.approx(0.7)
    assert decoding.confidence == pytest.approx(math.sqrt(math.sqrt(0.36) * 0.7))


def test_confidence_of_silence_and_of_nothing():
    assert greedy_decode(log_probs("___", 0.9), VOCABULARY, BLANK, 0.03).confidence == (
        pytest.approx(0.9)
    )
    assert greedy_decode(log_probs(""), VOCABULARY, BLANK, 0.03).confidence == 0.0


def test_confidence_stays_within_one_and_bears_impossible_labels():
    values = np.full((2, 5), -np.inf, np.float32)
    values[:, 0] = 1e-4
    assert greedy_decode(values, VOCABULARY, BLANK, 0.03).confidence == 1.0
    values[:] = -np.inf
    assert greedy_decode(values, VOCABULARY, BLANK, 0.03).confidence == 0.0


@pytest.mark.parametrize("shape", [(5,), (1, 3, 5), (3, 4)])
def test_wrong_shape(shape):
    for decode in (
        lambda values: greedy_text(values, VOCABULARY, BLANK),
        lambda values: greedy_decode(values, VOCABULARY, BLANK, 0.03),
    ):
        with pytest.raises(ValueError, match="log_probs"):
            decode(np.zeros(shape, np.float32))


@pytest.mark.parametrize("blank", [-1, 5])
def test_wrong_blank(blank):
    with pytest.raises(ValueError, match="blank_id"):
        greedy_text(log_probs("a"), VOCABULARY, blank)


def test_words_and_dictionary():
    tokens = (
        Token("h", 0.1, 0.2, 0.9),
        Token("i", 0.2, 0.30004, 0.4),
        Token(" ", 0.3, 0.4, 0.1),
        Token("u", 0.5, 0.6, 1.0),
    )
    transcript = Transcript("hi u", 0.5, tokens, 1.23456)
    assert [(word.text, word.start, word.end) for word in transcript.words] == [
        ("hi", 0.1, 0.30004),
        ("u", 0.5, 0.6),
    ]
    assert transcript.words[0].confidence == pytest.approx(0.6)
    content = transcript.to_dict()
    assert content["text"] == "hi u"
    assert content["duration"] == 1.235
    assert content["words"][0] == {"text": "hi", "start": 0.1, "end": 0.3, "confidence": 0.6}
    assert [token["text"] for token in content["tokens"]] == ["h", "i", " ", "u"]
    assert Transcript("", 0.9, (), 1.0).words == ()


def test_decoding_needs_numpy_alone():
    """Training imports it where neither ONNX Runtime nor libsndfile need be installed."""
    program = (
        "import sys\n"
        "for name in ('onnxruntime', 'soundfile', 'soxr', 'typer'): sys.modules[name] = None\n"
        "import asr_runtime.decoding.greedy, asr_runtime.decoding.beam_decoder\n"
        "import asr_runtime.transcript\n"
        "from asr_runtime.language.language_model_file import read_language_model\n"
        "asr_runtime.AsrRuntimeError\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_package_names():
    import asr_runtime

    for name in asr_runtime.__all__:
        assert getattr(asr_runtime, name) is not None
        assert name in dir(asr_runtime)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        asr_runtime.nothing  # noqa: B018
