"""Corrections of word times and confidences from the model card."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest

from asr_runtime import ModelFileError, Recognizer
from asr_runtime.decoding.calibration import calibrated
from asr_runtime.model_file.word_calibration import WordCalibration, calibrations_from_card
from asr_runtime.timed_text import Token
from asr_runtime.transcript import Transcript

LATE = WordCalibration(-0.05, 0.0, 1.5, 0.6)


def tokens(*words, confidence=0.5):
    """Tokens of (text, start, end); letters share a word's time, a space fills the gap."""
    result = []
    for text, start, end in words:
        if result:
            result.append(Token(" ", result[-1].end, start, confidence))
        bounds = np.linspace(start, end, len(text) + 1).tolist()
        spans = zip(text, bounds[:-1], bounds[1:], strict=True)
        result += [Token(letter, a, b, confidence) for letter, a, b in spans]
    return tuple(result)


def words_of(found):
    text = "".join(token.text for token in found)
    return [
        (w.text, round(w.start, 3), round(w.end, 3)) for w in Transcript(text, 1, found, 9).words
    ]


def test_starts_move_and_take_the_end_before_them_along():
    found = calibrated(tokens(("one", 0.5, 0.8), ("two", 0.8, 1.1), ("ten", 2.0, 2.2)), LATE)
    assert words_of(found) == [("one", 0.45, 0.75), ("two", 0.75, 1.1), ("ten", 1.95, 2.2)]
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))


def test_no_word_begins_before_the_audio():
    found = calibrated(tokens(("a", 0.01, 0.03), ("b", 0.04, 0.05)), LATE, earliest=0.0)
    assert found[0].start == 0.0
    assert all(token.end >= token.start for token in found)
    late = calibrated(tokens(("a", 3.0, 3.1)), LATE, earliest=2.99)
    assert late[0].start == 2.99


def test_a_words_confidence_becomes_its_probability():
    found = calibrated(tokens(("word", 1, 2), confidence=0.25), LATE)
    (word,) = Transcript("word", 1, found, 9).words
    assert word.confidence == pytest.approx(LATE.probability(0.25))
    mixed = tuple(
        Token(letter, index, index + 1, confidence)
        for index, (letter, confidence) in enumerate(zip("abc", (0.9, 0.5, 0.1), strict=True))
    )
    found = calibrated(mixed, LATE)
    mean = (0.9 * 0.5 * 0.1) ** (1 / 3)
    assert Transcript("abc", 1, found, 9).words[0].confidence == pytest.approx(
        LATE.probability(mean)
    )
    assert found[0].confidence > found[1].confidence > found[2].confidence


def test_a_word_that_was_to_be_expected_is_surer():
    calibration = WordCalibration(
        confidence_intercept=2.0, language_slope=0.3, next_slope=0.1, letters_slope=0.2
    )
    heard = tokens(("cat", 0, 1), ("scratches", 1, 2))
    asked = []

    def log_probs(words):
        asked.append(words)
        return [-2.0, -9.0]

    found = calibrated(heard, calibration, word_log_probs=log_probs)
    assert asked == [["cat", "scratches"]]
    odds = [2.0 - 0.3 * 2 - 0.1 * 9 + 0.2 * 3, 2.0 - 0.3 * 9 + 0.2 * 9]
    expected = [1 / (1 + math.exp(-each)) for each in odds]
    (cat, scratches) = Transcript("cat scratches", 1, found, 9).words
    assert [cat.confidence, scratches.confidence] == pytest.approx(expected)
    # The space before a word is as sure as the word.
    assert found[3].confidence == pytest.approx(expected[1])
    # A card of before asks nobody.
    calibrated(heard, LATE, word_log_probs=log_probs)
    assert len(asked) == 1


@pytest.mark.parametrize("by_sentences", [False, True])
def test_recordings_and_sentences_ask_the_language_model(
    by_sentences, save_model, card, save_language_model, speak
):
    """Of two words one is never after the other, as the language model has it."""
    language_model = save_language_model(["hello", "world"])
    sure = {"confidence_intercept": 1.0, "confidence_slope": 0.0}
    path = save_model(card={**card, "calibration": {"letters": {**sure, "language_slope": 0.5}}})
    recognizer = Recognizer.load(path, device="cpu", language_model=language_model)
    speech = (speak("hello world"), 16000)
    found = (
        Transcript.join(recognizer.transcribe_sentences(speech))
        if by_sentences
        else recognizer.transcribe(*speech)
    )
    log_probs = recognizer.language_model.log_probs(["hello", "world"])
    expected = 1 / (1 + np.exp(-1.0 - 0.5 * log_probs))
    assert [word.text for word in found.words] == ["hello", "world"]
    assert [word.confidence for word in found.words] == pytest.approx(expected.tolist(), abs=1e-3)
    assert found.words[0].confidence < 1 / (1 + math.exp(-1.0))
    hot = recognizer.with_hotwords(["hello"]).transcribe(*speech).words
    assert hot[0].confidence == pytest.approx(1 / (1 + math.exp(-1.0)), abs=1e-3)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_certain_words_stay_probabilities(confidence):
    for token in calibrated(tokens(("sure", 1, 2), confidence=confidence), LATE):
        assert 0.0 <= token.confidence <= 1.0


def test_nothing_to_correct():
    given = tokens(("one", 1, 2))
    assert calibrated(given, None) == given
    assert calibrated((), LATE) == ()


def test_card():
    found = calibrations_from_card({"greedy": {"start_shift": -0.03}, "later": {}})
    assert found == {"greedy": WordCalibration(start_shift=-0.03)}
    assert json.loads(json.dumps(LATE.to_dict())) == LATE.to_dict()
    assert WordCalibration.from_dict(LATE.to_dict()) == LATE
    assert calibrations_from_card(None) == {}
    steep = WordCalibration(0, 0, -100.0, 100.0, letters_slope=-100.0)
    assert steep.probability(0.0, letters=40) == pytest.approx(0.0)


@pytest.mark.parametrize(
    "values",
    [[], {"greedy": 3}, {"greedy": {"start_shift": 2}}, {"greedy": {"confidence_slope": "steep"}},
     {"greedy": {"end_shift": float("nan")}}, {"greedy": {"end_shift": True}}],
)  # fmt: skip
def test_a_card_that_cannot_be(values):
    with pytest.raises(ModelFileError, match="calibrate it again"):
        calibrations_from_card(values)


def test_the_card_corrects_what_is_heard_unless_it_shall_not(save_model, card, speak):
    corrections = {"start_shift": -0.05, "end_shift": -0.05, "confidence_intercept": -2.0}
    path = save_model(card={**card, "calibration": {"greedy": corrections}})
    audio = (speak("hello world"), 16000)
    found, raw = (
        Recognizer.load(path, device="cpu", calibrated=calibrated).transcribe(*audio)
        for calibrated in (True, False)
    )
    assert [word.text for word in found.words] == [word.text for word in raw.words]
    assert found.words[1].start == pytest.approx(raw.words[1].start - 0.05, abs=1e-3)
    assert found.words[1].confidence < raw.words[1].confidence
