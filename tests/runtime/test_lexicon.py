"""The letter tree against the list of words it is made from."""

import numpy as np
import pytest

from asr_runtime.language.lexicon import NO_WORD, ROOT, build_lexicon

VOCABULARY = ["_", "b", " ", "a", "'", "c"]
WORDS = ["a", "a'b", "ab", "abc", "b", "bac", "c"]
SCORES = np.array([-5, -1, -9, -4, -3, -7, -2], np.float32)


def walk(lexicon, word):
    node = ROOT
    for letter in word:
        label = VOCABULARY.index(letter)
        node = int(lexicon.children.after(np.array([node], np.int32), np.array([label]))[0, 0])
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


def test_more_classes_than_bits_in_a_word():
    """An alphabet of 300 letters, whose classes are in another order than its characters."""
    rng = np.random.default_rng(0)
    vocabulary = [chr(0x400 + number) for number in rng.permutation(300)]
    words = sorted({"".join(rng.choice(vocabulary, rng.integers(1, 5))) for _ in range(3000)})
    lexicon = build_lexicon(words, rng.standard_normal(len(words)).astype(np.float32), vocabulary)
    nodes = {"": ROOT}
    for prefix in sorted({word[:end] for word in words for end in range(1, len(word) + 1)}):
        label = np.array([vocabulary.index(prefix[-1])])
        parent = np.array([nodes[prefix[:-1]]], np.int32)
        nodes[prefix] = int(lexicon.children.after(parent, label)[0, 0])
    assert len(set(nodes.values())) == len(nodes) == len(lexicon.word) - 1
    assert all(words[lexicon.word[nodes[word]]] == word for word in words)
    everywhere = lexicon.children.after(np.arange(len(lexicon.word)), np.arange(300))
    assert (everywhere != lexicon.outside).sum() == len(nodes) - 1
    assert (everywhere[lexicon.outside] == lexicon.outside).all()
