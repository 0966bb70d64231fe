"""Subtitles keep the rules, and other programs read them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from asr_runtime.subtitles import CueBuilder, cues, to_srt, to_vtt
from asr_runtime.timed_text import Word


def spoken(text: str, rate: float = 0.3, start: float = 0.0) -> list[Word]:
    """Words that follow each other at once; a number is a pause of so many seconds."""
    words = []
    for item in text.split():
        if item.replace(".", "").isdigit():
            start += float(item)
            continue
        words.append(Word(item, start, start + rate, 0.9))
        start += rate
    return words


def speech(seed: int, count: int) -> list[Word]:
    """Random words, pauses and speeds."""
    drawn = random.Random(seed)
    words, time = [], drawn.random()
    for _ in range(count):
        text = "".join(drawn.choices("abcdefghij", k=drawn.choice([1, 2, 3, 4, 5, 7, 9, 13])))
        length = len(text) * drawn.uniform(0.02, 0.12)
        words.append(Word(text + drawn.choice(["", "", "", ",", "."]), time, time + length, 0.5))
        time += length + drawn.choice([0.0, 0.0, 0.02, 0.1, 0.5, 2.5])
    return words


@pytest.mark.parametrize("seed", range(20))
def test_cues_keep_the_rules(seed: int) -> None:
    words = speech(seed, 300)
    made = cues(words)
    assert [word for cue in made for line in cue.lines for word in line] == words
    for cue in made:
        assert 1 <= len(cue.lines) <= 2
        assert max(map(len, cue.text.splitlines())) <= 42
        assert 0 < cue.end - cue.start <= 7.001
        assert cue.start == pytest.approx(cue.lines[0][0].start, abs=0.01)
    for first, second in pairwise(made):
        assert first.end <= second.start
        # A cue is short only where the next words leave no room.
        assert first.end - first.start >= 0.999 or second.start - first.end < 0.1


def test_words_that_come_bit_by_bit_give_the_same_rules_in_bounded_memory() -> None:
    words = [word for word in speech(3, 3000)]
    builder = CueBuilder()
    made, most = [], 0
    for word in words:
        made += builder.feed([word])
        most = max(most, len(builder._words))
    made += builder.finish()
    assert [word for cue in made for line in cue.lines for word in line] == words
    assert all(first.end <= second.start for first, second in pairwise(made))
    assert most <= 120


def test_a_cue_breaks_at_pauses_and_signs_and_not_inside_a_phrase() -> None:
    words = spoken(
        "he walked to the station and bought a ticket 0.6 the train was late again today"
    )
    assert [cue.text for cue in cues(words)] == [
        "he walked to the station\nand bought a ticket",
        "the train was late again today",
    ]
    words = spoken("this is the end of it. then we went home and had a cup of tea in the garden")
    assert cues(words)[0].text == "this is the end of it."
    for cue in cues(
        spoken("we looked at the house in the middle of the old town for a while " * 5)
    ):
        for line in cue.text.splitlines():
            assert line.split()[-1] not in {"the", "of", "in", "a", "at"}


def test_a_long_pause_always_breaks_and_a_word_alone_stays_a_second() -> None:
    first, second = cues(spoken("yes 3 no", rate=0.2))
    assert (first.text, second.text) == ("yes", "no")
    assert first.end - first.start == pytest.approx(1.0)


def test_a_word_longer_than_a_line_has_one_of_its_own() -> None:
    long = "a" * 60
    assert [cue.text for cue in cues(spoken(f"so {long} it"))] == ["so", long, "it"]


def test_srt_and_vtt_are_read_by_another_program() -> None:
    pysubs2 = pytest.importorskip("pysubs2")
    words = speech(1, 400)
    made = cues(words)
    for kind, text in (("srt", to_srt(words)), ("vtt", to_vtt(words))):
        read = pysubs2.SSAFile.from_string(text, format_=kind)
        assert [event.plaintext for event in read] == [cue.text for cue in made]
        times = [(event.start, event.end) for event in read]
        assert times == [(round(c.start * 1000), round(c.end * 1000)) for c in made]
        again = pysubs2.SSAFile.from_string(read.to_string(kind), format_=kind)
        assert [event.plaintext for event in again] == [cue.text for cue in made]


def test_vtt_marks_words_and_escapes_signs() -> None:
    words = [Word("a<b", 0.5, 0.9, 1.0), Word("c&d", 3661.25, 3661.5, 1.0)]
    assert to_vtt(words) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\na&lt;b\n\n"
        "01:01:01.250 --> 01:01:02.250\nc&amp;d\n\n"
    )
    words = spoken("one two three")
    assert "one <00:00:00.300>two <00:00:00.600>three" in to_vtt(words, word_times=True)


def test_nothing_said_is_an_empty_file() -> None:
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n\n"
