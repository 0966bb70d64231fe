"""Words in one piece: the same sequence as a list of strings."""

from bisect import bisect_left

import pytest

from asr_runtime.language.word_list import WordList

WORDS = ["'tis", "a", "ab", "été"]


def test_words_are_those_of_the_text() -> None:
    words = WordList.of(WORDS)
    assert list(words) == WORDS
    assert len(words) == len(WORDS)
    assert [words[number] for number in range(-4, 4)] == WORDS * 2
    assert words[1:3] == ["a", "ab"]


def test_words_are_found_by_bisection() -> None:
    words = WordList(b"a\nab\nb")
    assert [bisect_left(words, word) for word in ("a", "aa", "ab", "b", "c")] == [0, 1, 1, 2, 3]
    assert "ab" in words
    assert "aa" not in words


def test_equal_lists() -> None:
    assert WordList(b"a\nb") == WordList.of(["a", "b"])
    assert WordList(b"a\nb") != WordList.of(["a", "c"])


@pytest.mark.parametrize("index", [3, -4])
def test_no_word_is_beyond_the_ends(index: int) -> None:
    with pytest.raises(IndexError, match="there is no word"):
        WordList(b"a\nab\nb")[index]
