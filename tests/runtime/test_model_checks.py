"""The words of a language model file are text, sorted, each there once: as Python compares them."""

from itertools import product

import numpy as np
import pytest

from asr_runtime.language.model_checks import _check_words

EIGHT, SIXTEEN = "abcdefgh", "abcdefghijklmnop"
WORDS = ["'", "a", "ab", "b", EIGHT, EIGHT + "a", "abcdefgi", SIXTEEN, SIXTEEN + "'", SIXTEEN + "a"]


def check(*words: str) -> int:
    return _check_words(np.frombuffer("\n".join(words).encode(), np.uint8))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_order(number):
    for words in product(WORDS, repeat=number):
        if list(words) == sorted(set(words)):
            assert check(*words) == number
        else:
            with pytest.raises(ValueError, match="not sorted"):
                check(*words)


@pytest.mark.parametrize("words", [("",), ("", "a"), ("a", ""), ("a", "", "b")])
def test_no_letters(words):
    with pytest.raises(ValueError, match="not sorted"):
        check(*words)


@pytest.mark.parametrize("word", ["a\tb", "a\0", "\x7f", "é", "a\r"])
def test_no_text(word):
    with pytest.raises(ValueError, match="not text"):
        check(word, "zebra")
