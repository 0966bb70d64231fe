"""Readable text through the front doors: ``Recognizer`` and ``asr-run``."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asr_runtime import Recognizer
from asr_runtime.command.loading import LoadingOptions
from asr_runtime.readable_text import punctuation_model

SPOKEN = "we stop but i may go"
READ = "We stop. But I May go"


@pytest.fixture(scope="module")
def speech(speak: Callable[..., np.ndarray]) -> np.ndarray:
    return speak(SPOKEN)


@pytest.fixture
def clip(speech: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    soundfile.write(path, speech, 16000)
    return path


@pytest.fixture(scope="module")
def readable(streaming_model_file: Path, punctuation_model_file: Path) -> Recognizer:
    return Recognizer.load(
        streaming_model_file, device="cpu", threads=1, punctuate=punctuation_model_file
    )


def test_a_transcript_is_readable_and_keeps_its_words(
    readable: Recognizer, speech: np.ndarray
) -> None:
    transcript = readable.transcribe(speech, 16000)
    assert transcript.text == READ
    assert transcript.readable is not None
    assert [word.text for word in transcript.words] == SPOKEN.split()
    assert [word.text for word in transcript.shown_words] == READ.split()
    assert "".join(token.text for token in transcript.tokens) == SPOKEN
    for word, said in zip(transcript.readable, transcript.words, strict=True):
        assert (word.start, word.end) == (said.start, said.end)
        assert word.confidence == pytest.approx(said.confidence)
    assert pickle.loads(pickle.dumps(transcript)) == transcript


def test_all_ways_to_transcribe_give_readable_text(
    readable: Recognizer, speech: np.ndarray
) -> None:
    assert [item.text for item in readable.transcribe_batch([(speech, 16000)] * 2)] == [READ] * 2
    silence = np.zeros(16000 * 30, np.float32)
    long = np.concatenate([speech, silence, speech, silence, speech])
    later = READ.replace("We", "we")  # the model of the tests does not end a sentence at a pause
    assert readable.transcribe(long, 16000).text == f"{READ} {later} {later}"
    sentences = list(readable.transcribe_sentences((long, 16000)))
    assert [sentence.text for sentence in sentences] == [READ, later, later]


def test_a_stream_is_readable(readable: Recognizer, speech: np.ndarray) -> None:
    stream = readable.stream(16000)
    results = stream.feed(speech) + stream.finish()
    assert results[-1].text == READ
    assert results[-1].transcript is not None
    assert results[-1].transcript.text == READ
    shown = [result for result in results if result.text]
    assert shown[0].text.startswith("We")
    for earlier, later in pairwise(shown):
        assert later.text.startswith(earlier.stable)


def test_without_punctuation_nothing_changes(
    streaming_model_file: Path, speech: np.ndarray
) -> None:
    transcript = Recognizer.load(streaming_model_file, device="cpu").transcribe(speech, 16000)
    assert (transcript.text, transcript.readable) == (SPOKEN, None)
    assert "readable" not in transcript.to_dict()


def test_files_are_punctuated_on_request(
    listen: Callable[..., tuple[int, str, list[str]]], clip: Path, punctuation_model_file: Path
) -> None:
    assert listen(clip) == (0, f"{SPOKEN}\n", [])
    assert listen(clip, "--punctuation-model", punctuation_model_file) == (0, f"{READ}\n", [])
    status, output, _ = listen(
        clip, "--punctuation-model", punctuation_model_file, "--format", "json"
    )
    found = json.loads(output)
    assert (status, found["text"]) == (0, READ)
    assert [word["text"] for word in found["readable"]] == READ.split()
    assert [word["text"] for word in found["words"]] == SPOKEN.split()
    assert "readable" not in json.loads(listen(clip, "--format", "json")[1])


def test_numbers_are_written_in_digits(
    listen: Callable[..., tuple[int, str, list[str]]],
    speak: Callable[..., np.ndarray],
    tmp_path: Path,
) -> None:
    path = tmp_path / "numbers.wav"
    soundfile.write(path, speak("one of twenty one"), 16000)
    assert listen(path, "--numbers") == (0, "one of 21\n", [])


def test_listen_takes_the_same_options(
    listen: Callable[..., tuple[int, str, list[str]]], clip: Path, punctuation_model_file: Path
) -> None:
    options = (clip, "--punctuation-model", punctuation_model_file)
    assert listen(*options, command=("listen",)) == (0, f"{READ}\n", [])
    assert listen(clip, command=("listen",)) == (0, f"{SPOKEN}\n", [])


def test_bad_options_are_one_line(
    listen: Callable[..., tuple[int, str, list[str]]], clip: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "none.onnx"
    status, output, errors = listen(clip, "--punctuation-model", missing)
    assert (status, output, len(errors)) == (1, "", 1)
    assert str(missing) in errors[0]
    status, output, errors = listen(clip, "--no-punctuate", "--punctuation-model", missing)
    assert (status, output) == (2, "")
    assert "choose one of --no-punctuate and --punctuation-model" in " ".join(errors)


@pytest.mark.parametrize(
    ("options", "punctuate"),
    [
        (LoadingOptions(), False),
        (LoadingOptions(for_people=True), True),
        (LoadingOptions(for_people=True, model="other.onnx"), False),
        (LoadingOptions(for_people=True, punctuate=False), False),
        (LoadingOptions(punctuate=True, model="other.onnx"), True),
        (LoadingOptions(punctuation_model="mine.onnx"), "mine.onnx"),
    ],
)
def test_people_get_signs_and_programs_do_not(
    options: LoadingOptions,
    punctuate: Any,
    monkeypatch: pytest.MonkeyPatch,
    punctuation_model_file: Path,
) -> None:
    monkeypatch.setattr(punctuation_model, "DEFAULT_PUNCTUATION_MODEL", punctuation_model_file)
    assert options.punctuation() == punctuate
