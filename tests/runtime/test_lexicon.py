"""The letter tree against the list of words it is made from."""

import numpy as np
import pytest

from asr_runtime.lexicon import NO_WORD, ROOT, build_lexicon

VOCABULARY = ["_", "b", " ", "a", "'", "c"]
WORDS = ["a", "a'b", "ab", "abc", "b", "bac", "c"]
SCORES = np.array([-5, -1, -9, -4, -3, -7, -2], np.float32)


def walk(lexicon, word):
    node = ROOT
    for letter in word:
        node = lexicon.children[node, VOCABULARY.index(letter)]
    return node


def test_every_word_is_found():
    lexicon = build_lexicon(WORDS, SCORES, VOCABULARY)
    for index, word in enumerate(WORDS):
        node = walk(lexicon, word)
        assert lexicon.word[node] == index
        assert lexicon.depth[node] == len(word)
    assert (lexicon.word >= 0).sum() == len(WORDS)


@pytest.mark.parametrize("prefix", ["a", "a'", "ab", "abc", "b", "ba", "c"])
def test_best_score_below_each_node(prefix):
    lexicon = build_lexicon(WORDS, SCORES, VOCABULARY)
    below = [score for word, score in zip(WORDS, SCORES, strict=True) if word.startswith(prefix)]
    assert lexicon.best[walk(lexicon, prefix)] == max(below)


def test_words_after_a_shorter_one_are_none_of_its_own():
    """Between the words with "ab" and those with "ba" stands "b", which is in neither tree."""
    words, scores = ["ab", "b", "ba"], np.array([-5, -1, -7], np.float32)
    lexicon = build_lexicon(words, scores, VOCABULARY)
    assert lexicon.best[walk(lexicon, "ab")] == -5
    assert lexicon.best[walk(lexicon, "ba")] == -7
    assert lexicon.best[walk(lexicon, "b")] == -1


@pytest.mark.parametrize("text", ["aa", "abcc", "ca", "cab", "bb"])
def test_what_begins_no_word_is_outside(text):
    lexicon = build_lexicon(WORDS, SCORES, VOCABULARY)
    assert walk(lexicon, text) == lexicon.outside
    assert lexicon.word[lexicon.outside] == NO_WORD
    assert lexicon.best[lexicon.outside] == lexicon.best[ROOT] == 0


def test_words_with_foreign_letters_are_left_out():
    lexicon = build_lexicon(["ab", "az", "b"], np.zeros(3, np.float32), VOCABULARY)
    assert lexicon.word[walk(lexicon, "ab")] == 0
    assert lexicon.word[walk(lexicon, "b")] == 2
    assert (lexicon.word >= 0).sum() == 2


def test_no_words():
    lexicon = build_lexicon([], np.zeros(0, np.float32), VOCABULARY)
    assert walk(lexicon, "a") == lexicon.outside
