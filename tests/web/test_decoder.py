"""The browser's decoders against Python's, on the same log-probabilities, in Node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from asr_runtime import EndpointConfig, Recognizer
from asr_runtime.decoding.greedy import greedy_decode
from asr_runtime.decoding.phoneme_frames import PhonemeFrames
from asr_runtime.model_file.word_calibration import WordCalibration
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_runtime.timed_text import Token
from asr_train.cli import app as train

SMALL_LANGUAGE_MODEL = (
    Path(__file__).parents[2] / "runtime" / "language_models" / "english-small.lm"
)
LATE = WordCalibration(-0.05, 0.01, 2.0, 0.7, language_slope=0.3, next_slope=0.1, letters_slope=0.3)
"""Corrections that make use of everything."""
Decode = Callable[..., list[Any]]


def check_tokens(found: Sequence[dict[str, Any]], expected: Sequence[Token]) -> None:
    """Tokens are the same, times and confidences but for rounding."""
    assert [token["text"] for token in found] == [token.text for token in expected]
    for name in ("start", "end", "confidence"):
        values = [getattr(token, name) for token in expected]
        assert [token[name] for token in found] == pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize("strength", [0.0, 1.0, 2.5])
def test_beam_search_is_pythons(
    strength: float,
    decode: Decode,
    beam: Recognizer,
    demo: np.ndarray,
    spoil: Callable[[np.ndarray, float], np.ndarray],
) -> None:
    rows = spoil(beam._session.run_all([demo])[0], strength)
    decoder = beam._beam_decoder
    assert decoder is not None
    expected = decoder.decode(rows, beam.card.seconds_per_frame)
    [found] = decode(beam.card, [{"rows": rows}], SMALL_LANGUAGE_MODEL)
    assert len(expected.text.split()) > 5
    assert found["text"] == expected.text
    assert found["confidence"] == pytest.approx(expected.confidence, abs=1e-6)
    check_tokens(found["tokens"], expected.tokens)


@pytest.fixture(scope="module")
def few_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of so few words that much of the demo leads the search into dead ends."""
    folder = tmp_path_factory.mktemp("few")
    text = "the old man sat by the winding\nhe had all the timeless worms\nwatching\n"
    (folder / "few.txt").write_text(text * 3000)
    command = ["language-model", str(folder / "few.txt"), "--out", str(folder / "few.lm")]
    done = CliRunner().invoke(train, command)
    assert done.exit_code == 0, done.output
    return folder / "few.lm"


def test_dead_ends_are_pythons(
    decode: Decode, few_words: Path, demo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = Recognizer.load(device="cpu", threads=1, language_model=few_words)
    retried: list[int] = []
    retry = PhonemeFrames._retry

    def counted(frames: PhonemeFrames, state: Any, refuge: Any) -> None:
        retried.append(state.frames)
        retry(frames, state, refuge)

    monkeypatch.setattr(PhonemeFrames, "_retry", counted)
    [rows] = recognizer._session.run_all([demo])
    decoder = recognizer._beam_decoder
    assert decoder is not None
    expected = decoder.decode(rows, recognizer.card.seconds_per_frame)
    case = {"rows": rows, "greedy": False, "pieces": 21, "duration": 6.0}
    whole, sentences = decode(recognizer.card, [{"rows": rows}, case], few_words)
    assert len(retried) > 1
    assert whole["text"] == expected.text
    check_tokens(whole["tokens"], expected.tokens)
    assert " ".join(each["text"] for each in sentences["sentences"]) == expected.text


def test_greedy_decoding_is_pythons(decode: Decode, greedy: Recognizer, demo: np.ndarray) -> None:
    rows = greedy._session.run_all([demo])[0]
    cases = [{"rows": rows, "greedy": True}, {"rows": rows[:8], "greedy": True}]
    found, silence = decode(greedy.card, cases, None)
    card = greedy.card
    expected, nothing = (
        greedy_decode(part, card.vocabulary, card.blank_id, card.seconds_per_frame)
        for part in (rows, rows[:8])
    )
    check_tokens(found["tokens"], expected.tokens)
    assert (silence["text"], nothing.text) == ("", "")
    assert silence["confidence"] == pytest.approx(nothing.confidence, abs=1e-6)


@pytest.mark.parametrize("longest", [30.0, 2.0])
@pytest.mark.parametrize("name", ["beam", "greedy"])
def test_sentences_are_pythons(
    name: str, longest: float, decode: Decode, request: pytest.FixtureRequest, demo: np.ndarray
) -> None:
    recognizer: Recognizer = request.getfixturevalue(name)
    rows = np.concatenate([recognizer._session.run_all([demo])[0]] * 2)
    piece, duration = 21, len(rows) * recognizer.card.seconds_per_frame
    card = recognizer.card
    decoder = SentenceDecoder(
        recognizer._beam_decoder,
        card.vocabulary,
        card.blank_id,
        card.seconds_per_frame,
        EndpointConfig(max_seconds=longest),
        LATE,
    )
    sentences, partials = [], []
    for begin in range(0, len(rows), piece):
        sentences += decoder.feed(rows[begin : begin + piece])
        partial = decoder.partial()
        partials.append({"text": partial.text, "stable": partial.stable})
    sentences += decoder.finish(duration)
    case = {
        "rows": rows,
        "greedy": name == "greedy",
        "pieces": piece,
        "duration": duration,
        "endpoint": {"silenceSeconds": 0.8, "maxSeconds": longest},
    }
    [found] = decode(recognizer.card, [case], SMALL_LANGUAGE_MODEL, LATE)
    assert len(sentences) >= (1 if longest == 30.0 else 6)
    assert found["partials"] == partials
    assert [each["text"] for each in found["sentences"]] == [each.text for each in sentences]
    for each, expected in zip(found["sentences"], sentences, strict=True):
        check_tokens(each["tokens"], expected.tokens)
        assert [each["start"], each["duration"]] == pytest.approx(
            [expected.start, expected.duration]
        )
