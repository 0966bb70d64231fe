"""Times of the words of a known text, and what is said of a text that does not fit."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_runtime import AlignmentError, Recognizer
from asr_runtime.command import cli
from asr_runtime.recordings.forced_alignment import spell

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"
LETTERS = [*"' abcdefghijklmnopqrstuvwxyz", "<blk>"]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(device="cpu")


@pytest.fixture(scope="module")
def heard(recognizer: Recognizer):
    return recognizer.transcribe(CLIP)


def test_known_words_lie_where_they_are_heard(recognizer, heard):
    text = heard.text.capitalize().replace(" and", ", and") + "."
    found = recognizer.align(CLIP, text)
    assert [word.text for word in found.words] == text.split()
    for word, other in zip(found.words, heard.words, strict=True):
        assert word.start == pytest.approx(other.start, abs=0.12)
        assert word.start < word.end <= found.duration
        assert 0 < word.confidence <= 1
    assert found.fits
    assert all(a.end <= b.start for a, b in pairwise(found.words))


def test_another_text_does_not_fit(recognizer):
    found = recognizer.align(
        CLIP, "completely different things were talked about yesterday evening"
    )
    assert not found.fits


def test_a_long_recording_is_aligned_in_parts(recognizer, heard):
    samples, rate = soundfile.read(CLIP, dtype="float32")
    count = 12
    found = recognizer.align((np.tile(samples, count), rate), " ".join([heard.text] * count))
    once = recognizer.align(CLIP, heard.text).words
    assert len(found.words) == count * len(once)
    length = len(samples) / rate
    for index, word in enumerate(found.words):
        repeat, place = divmod(index, len(once))
        assert word.text == once[place].text
        assert word.start == pytest.approx(once[place].start + repeat * length, abs=0.3)


def test_a_long_recording_of_something_else_is_refused(recognizer):
    samples, rate = soundfile.read(CLIP, dtype="float32")
    with pytest.raises(AlignmentError, match="share nothing with the text"):
        recognizer.align((np.tile(samples, 20), rate), "nobody has said anything like it " * 60)


def test_spelling():
    spelled = spell("Don\u2019t — well-known: “YES”!", LETTERS)
    assert spelled.words == ("Don\u2019t", "well-known:", "“YES”!")
    assert spelled.plain(LETTERS) == ["don't", "well known", "yes"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no words"),
        ("— … !", "no words"),
        ("it was 1995", "'1995' has '1'.*numbers as words"),
        ("Привет мир", "'Привет' has"),
        ("the café", "'café' has 'é'"),
    ],
)
def test_what_cannot_be_spelled_is_one_line(recognizer, text, words):
    with pytest.raises(AlignmentError, match=words) as caught:
        recognizer.align(CLIP, text)
    assert "\n" not in str(caught.value)


def test_too_much_text_for_the_audio(recognizer, heard):
    samples, rate = soundfile.read(CLIP, dtype="float32")
    with pytest.raises(AlignmentError, match="too short for"):
        recognizer.align((samples[: rate // 2], rate), heard.text)


@pytest.fixture
def run(run_command_line):
    """Run ``asr-run align`` in this process: exit code, stdout, stderr."""
    return lambda *arguments: run_command_line(cli.main, "align", *arguments)


def test_command(run, tmp_path, heard):
    text = tmp_path / "text.txt"
    text.write_text("\ufeff" + heard.text.upper() + "\n", encoding="utf-8")
    status, output, errors = run(CLIP, text)
    assert (status, errors) == (0, "")
    lines = [line.split("\t") for line in output.splitlines()]
    assert [word for *_, word in lines] == heard.text.upper().split()
    found = json.loads(run(CLIP, text, "--format", "json")[1])
    assert found["fits"] is True
    assert [word["start"] for word in found["words"]] == [float(start) for start, *_ in lines]
    assert run(CLIP, text, "--format", "srt")[1].startswith("1\n00:00:00,")


def test_bad_input_is_one_line(run, tmp_path, heard):
    text = tmp_path / "text.txt"
    text.write_text("something else entirely was said here by other people")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    good = tmp_path / "good.txt"
    good.write_text(heard.text)
    empty, cyrillic = tmp_path / "empty.txt", tmp_path / "cyrillic.txt"
    empty.write_text("\n")
    cyrillic.write_text("Старик и море", encoding="utf-8")
    for arguments, words in (
        ((CLIP, text), "probably not what is said"),
        ((CLIP, empty), "no words"),
        ((CLIP, cyrillic), "'Старик' has"),
        ((CLIP, binary), "not text in UTF-8"),
        ((CLIP, tmp_path / "none"), "cannot be read"),
        ((text, good), "not audio"),
    ):
        status, _, errors = run(*arguments)
        assert status == 1
        assert words in errors
        assert len(errors.splitlines()) == 1
