"""Number words as digits."""

from __future__ import annotations

import pytest

from asr_runtime.readable_text.annotation import Sign
from asr_runtime.readable_text.number_writing import write_numbers
from asr_runtime.readable_text.punctuator import PunctuatedWord

SIGNS = {",": Sign.COMMA, ".": Sign.FULL_STOP, "?": Sign.QUESTION_MARK}


def punctuated(text: str) -> list[PunctuatedWord]:
    words = []
    for item in text.split():
        sign = SIGNS.get(item[-1], Sign.NONE)
        written = item.rstrip(",.?")
        words.append(PunctuatedWord(written.lower(), written, sign))
    return words


def write(text: str) -> str:
    return " ".join(map(str, write_numbers(punctuated(text))))


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("twenty one people", "21 people"),
        ("two hundred and five", "205"),
        ("three thousand four hundred and twelve miles", "3,412 miles"),
        ("ten thousand", "10,000"),
        ("one million two hundred thousand", "1,200,000"),
        ("two million people", "2 million people"),
        ("two point five million", "2.5 million"),
        ("three point one four", "3.14"),
        ("nineteen hundred", "1900"),
        ("fifteen or twenty", "15 or 20"),
        ("ten, twenty, thirty.", "10, 20, 30."),
    ],
)
def test_counted_numbers_become_digits(words: str, digits: str) -> None:
    assert write(words) == digits


@pytest.mark.parametrize(
    "words",
    [
        "one of them",
        "no one knows",
        "the first time",
        "two or three days",
        "five and six",
        "a hundred times",
        "on the one hand",
        "may two people come in",
        "hundreds of thousands",
        "oh dear",
    ],
)
def test_small_numbers_and_pronouns_stay_words(words: str) -> None:
    assert write(words) == words


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("in eighteen forty one", "in 1841"),
        ("in nineteen o five", "in 1905"),
        ("twenty twenty six", "2026"),
        ("in two thousand and six", "in 2006"),
        ("the nineteen seventies", "the 1970s"),
        ("On May twenty nine, eighteen forty eight, he", "On May 29, 1848, he"),
        ("may twenty first nineteen ten", "may 21st 1910"),
        ("the fourth of july", "the 4th of july"),
        ("seven October two thousand and sixteen", "7 October 2016"),
        ("the twenty first century", "the 21st century"),
        ("his one hundred and twelfth year", "his 112th year"),
    ],
)
def test_dates_and_ordinals(words: str, digits: str) -> None:
    assert write(words) == digits


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("five dollars", "$5"),
        ("twelve dollars and fifty cents", "$12.50"),
        ("two point five million dollars", "$2.5 million"),
        ("twenty euros.", "€20."),
        ("five percent", "5%"),
        ("two point five per cent", "2.5%"),
        ("at seven thirty a m. Then", "at 7:30 a.m. Then"),
        ("at seven o five p m", "at 7:05 p.m."),
        ("eight o'clock", "8 o'clock"),
        ("fifty cents", "50 cents"),
        ("chapter three", "chapter 3"),
        ("call five five five one two o nine", "call 5551209"),
    ],
)
def test_money_times_and_strings_of_digits(words: str, digits: str) -> None:
    assert write(words) == digits


def test_a_number_stands_for_all_its_words() -> None:
    words = punctuated("it cost twelve dollars and fifty cents, he said")
    assert [word.words for word in write_numbers(words)] == [1, 1, 5, 1, 1]
    assert sum(word.words for word in write_numbers(words)) == len(words)
