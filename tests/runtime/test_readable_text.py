"""Signs and capital letters: the model's file, words as they come, and transcripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from asr_runtime.errors import ModelFileError
from asr_runtime.readable_text.hashed_words import HashedWords
from asr_runtime.readable_text.punctuation_model import (
    DEFAULT_PUNCTUATION_MODEL,
    PunctuationModel,
    load_punctuation_model,
)
from asr_runtime.readable_text.punctuator import Punctuator
from asr_runtime.readable_text.readable_transcripts import ReadableText
from asr_runtime.readable_text.word_table import SUFFIX_ROWS, WordTable
from asr_runtime.timed_text import Token
from asr_runtime.transcript import Transcript


@pytest.fixture(scope="session")
def model(punctuation_model_file: Path) -> PunctuationModel:
    return load_punctuation_model(punctuation_model_file)


def spoken(text: str, start: float = 0.0) -> Transcript:
    """A transcript whose characters last a tenth of a second each."""
    tokens = tuple(
        Token(character, start + 0.1 * at, start + 0.1 * (at + 1), 0.5)
        for at, character in enumerate(text)
    )
    return Transcript(text, 0.5, tokens, 0.1 * len(text) + 0.5, start)


def punctuated(model: PunctuationModel, text: str) -> str:
    punctuator = Punctuator(model)
    return " ".join(map(str, punctuator.feed(text.split()) + punctuator.finish()))


def test_signs_and_capital_letters(model: PunctuationModel) -> None:
    assert punctuated(model, "we stop but i see what old mcdonald nato in london") == (
        "We stop. But I see what? old McDonald NATO in London"
    )


def test_a_word_is_decided_when_the_words_after_it_are_known(model: PunctuationModel) -> None:
    punctuator = Punctuator(model)
    assert punctuator.feed(["we", "go"]) == []
    assert list(map(str, punctuator.feed(["but"]))) == ["We"]
    assert punctuator.waiting == punctuator.words_ahead == 2
    assert list(map(str, punctuator.finish())) == ["go,", "but"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_results_do_not_depend_on_how_words_come(model: PunctuationModel, size: int) -> None:
    words = ("we go but they stop but i may stop now what a day " * 3).split()
    punctuator = Punctuator(model)
    found = []
    for at in range(0, len(words), size):
        found += punctuator.feed(words[at : at + size])
    assert " ".join(map(str, found + punctuator.finish())) == punctuated(model, " ".join(words))


def test_a_long_pause_ends_a_sentence_that_the_words_alone_do_not_end(
    model: PunctuationModel,
) -> None:
    words = ["we", "home", "they", "may"]
    without = Punctuator(model)
    assert str((without.feed(words) + without.finish())[1]) == "home"
    paused = Punctuator(model)
    spans = [(0.0, 0.5), (0.6, 1.0), (2.0, 2.2), (2.3, 2.6)]
    found = paused.feed(words[:3], spans[:3]) + paused.feed(words[3:], spans[3:])
    assert " ".join(map(str, found + paused.finish())) == "We home. They May"


def test_long_texts_run_in_parts_with_the_same_result(model: PunctuationModel) -> None:
    words = [*["so"] * 511, "go", "but", "so"]
    found = Punctuator(model)
    assert str((found.feed(words) + found.finish())[511]) == "go,"


def test_segments_see_the_words_of_the_next_one(model: PunctuationModel) -> None:
    segments = [spoken("we go"), spoken("but mister smith may stop", 2.0), spoken("", 6.0)]
    readable = list(ReadableText(model, numbers=False).segments(segments))
    assert [segment.text for segment in readable] == ["We go,", "but Mr. Smith May stop.", ""]
    assert [segment.tokens for segment in readable] == [segment.tokens for segment in segments]
    words = readable[1].readable
    assert words is not None
    assert (words[2].text, words[2].start) == ("Smith", pytest.approx(3.1))
    assert readable[1].words[1].text == "mister"


def test_segments_come_as_soon_as_they_are_decided(model: PunctuationModel) -> None:
    taken = []

    def segments():
        for at in range(3):
            taken.append(at)
            yield spoken("we go on", 2.0 * at)

    readable = ReadableText(model, numbers=False).segments(segments())
    assert next(readable).text == "We go on"
    assert taken == [0, 1]


def test_numbers_alone_leave_the_letters_as_they_are() -> None:
    text = ReadableText(None, numbers=True)
    (segment,) = text.segments([spoken("i paid twenty one dollars in london")])
    assert segment.text == "i paid $21 in london"
    assert segment.readable is not None
    number = segment.readable[2]
    assert (number.text, number.words) == ("$21", 3)
    assert (number.start, number.end) == (segment.words[2].start, segment.words[4].end)
    assert number.to_dict()["words"] == 3


def test_a_recording_of_one_segment_takes_one_run(
    model: PunctuationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    annotate = PunctuationModel.annotate
    monkeypatch.setattr(
        PunctuationModel,
        "annotate",
        lambda self, words: runs.append(len(words)) or annotate(self, words),
    )
    text = ReadableText(model, numbers=False)
    assert text.transcript(spoken("we stop but i see")).text == "We stop. But I see"
    assert runs == [5]
    stream = text.stream()
    assert stream.final(spoken("we stop but i see")).text == "We stop. But I see"
    assert runs == [5, 5]


def test_a_stream_shows_signs_at_once_and_keeps_what_is_stable(model: PunctuationModel) -> None:
    stream = ReadableText(model, numbers=True).stream()
    assert stream.partial("we st", "we") == ("We st", "")
    assert stream.partial("we stop but th", "we stop but ") == ("We stop. But th", "We")
    shown, stable = stream.partial("we stop but they paid twenty o", "we stop but they paid twenty")
    assert shown == "We stop. But they paid 20 o"
    assert stable == "We stop. But"
    final = stream.final(spoken("we stop but they paid twenty one"))
    assert final.text == "We stop. But they paid 21"
    assert stream.partial("now", "")[0] == "now"


def test_what_is_stable_stays(model: PunctuationModel) -> None:
    text = "we stop but mister smith paid twenty one dollars what a day i may stop in london"
    stream = ReadableText(model, numbers=True).stream()
    final = ReadableText(model, numbers=True).stream().final(spoken(text)).text
    longest = ""
    for end in range(1, len(text) + 1):
        shown, stable = stream.partial(text[:end], text[:end])
        assert shown.startswith(stable)
        assert stable.startswith(longest)
        assert final.startswith(stable)
        longest = stable
    assert longest


def test_names_without_rows_of_their_own_are_known() -> None:
    table = WordTable("the McDonald smith", "bell MacLeod smithson")
    assert table.rows == 3 + 2 * SUFFIX_ROWS
    assert [table.row(word) for word in ("the", "mcdonald", "smith")] == [0, 1, 2]
    assert table.is_name("bell's")
    assert table.row("macleod") >= 3 + SUFFIX_ROWS > table.row("unheard")
    assert not table.is_name("smi")
    assert [table.capitalised(word) for word in ("macleod's", "mcdonald's", "bell", "anna's")] == [
        "MacLeod's", "McDonald's", "Bell", "Anna's",
    ]  # fmt: skip


def test_words_that_no_list_has_count_as_names() -> None:
    table = WordTable("the smith London", "bell", HashedWords.of(("seldom", "zebra")))
    words = ("seldom", "zebra's", "bell", "hadria", "smith's", "london's")
    names = [word for word in words if table.is_name(word)]
    assert names == ["bell", "hadria", "london's"]
    assert table.row("london") == 2
    assert table.capitalised("london's") == "London's"
    assert not WordTable("the smith", "bell").is_name("hadria")


def test_a_set_of_words_is_small_and_seldom_mistaken() -> None:
    words = [f"word{number}" for number in range(5000)]
    text = HashedWords.of(words).to_text()
    assert len(text) < 1.5 * len(words)
    again = HashedWords.from_text(text)
    assert all(word in again for word in words)
    others = sum(f"other{number}" in again for number in range(20_000))
    assert others < 20_000 / 50  # one in sixty-four is expected
    assert "word" not in HashedWords.from_text(HashedWords.of(()).to_text())


@pytest.mark.parametrize("text", ["64", "64 !", "10 /////w==", "0 AA==", "x AA=="])
def test_a_damaged_set_of_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever finds the damage says so
        HashedWords.from_text(text)


def test_bad_model_files_are_told_in_one_line(punctuation_models: Any, tmp_path: Path) -> None:
    write_punctuation_model = punctuation_models.write_punctuation_model
    with pytest.raises(ModelFileError, match=re.escape("there is no such model file")):
        load_punctuation_model(tmp_path / "none.onnx")
    newer = write_punctuation_model(tmp_path / "newer.onnx", format_version=9)
    with pytest.raises(ModelFileError, match=r"newer\.onnx: is a punctuation model of format 9"):
        load_punctuation_model(newer)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(newer.read_bytes()[:200])
    with pytest.raises(ModelFileError, match="damaged"):
        load_punctuation_model(damaged)


def test_the_model_of_the_package() -> None:
    assert DEFAULT_PUNCTUATION_MODEL.stat().st_size < 2_000_000
    text = "how are you doing today i am john smith and i live in new york what do you want"
    shown = punctuated(load_punctuation_model(), text)
    # One may pause at commas or not.
    assert shown.replace(",", "") == (
        "How are you doing today? I am John Smith and I live in New York. What do you want?"
    )
