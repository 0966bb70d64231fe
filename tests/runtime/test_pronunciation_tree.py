"""The tree of pronunciations: its paths, homophones, look-ahead; and words that users add."""

import numpy as np
import pytest

from asr_runtime.language.phonemes import BLANK, PHONEMES, parse_phonemes
from asr_runtime.language.pronunciation_tree import build_pronunciation_tree
from asr_runtime.language.pronunciations import Pronunciations, add_pronunciations


def pronunciations(spoken):
    flat = [parse_phonemes(one) for variants in spoken for one in variants]
    word = np.repeat(np.arange(len(spoken), dtype=np.int32), [len(each) for each in spoken])
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in flat]))).astype(np.int32)
    return Pronunciations(word, offsets, np.frombuffer(b"".join(flat), np.uint8))


def walk(tree, names, last=BLANK):
    node = np.array([tree.roots + last])
    for phoneme in parse_phonemes(names):
        node = tree.children.after(node, np.array([phoneme]))[:, 0]
    return int(node[0])


def ends(tree, node):
    return list(range(tree.ends[node], tree.ends[node + 1]))


SPOKEN = [("AH", "EY"), ("K AE T",), ("K AE T S",), ("DH EH R",), ("DH EH R", "DH AH R"), ()]
SCORES = np.array([-1.0, -5.0, -6.0, -2.0, -3.0, -0.5], np.float32)


@pytest.fixture(scope="module")
def tree():
    return build_pronunciation_tree(pronunciations(SPOKEN), SCORES, -9.0, variant_penalty=0.5)


@pytest.mark.parametrize("last", [0, 17, BLANK])
def test_every_pronunciation_is_a_path_from_every_root(tree, last):
    for word, variants in enumerate(SPOKEN):
        for variant, names in enumerate(variants):
            node = walk(tree, names, last)
            assert tree.label[node] == PHONEMES.index(names.split()[-1])
            (end,) = [end for end in ends(tree, node) if tree.word[end] == word]
            assert tree.spoken(end).tobytes() == parse_phonemes(names)
            assert tree.penalty[end] == (0.5 if variant else 0.0)


def test_homophones_end_at_one_node(tree):
    assert sorted(tree.word[ends(tree, walk(tree, "DH EH R"))]) == [3, 4]


def test_beginnings_end_no_word_and_what_is_no_beginning_is_nowhere(tree):
    assert ends(tree, walk(tree, "K AE")) == []
    assert walk(tree, "K AA") == walk(tree, "K AE T S S") == tree.nowhere
    assert walk(tree, "K AA T") == tree.nowhere
    assert tree.best[tree.nowhere] < -1e20


def test_best_is_the_best_word_below(tree):
    assert tree.best[walk(tree, "K")] == -5.0
    assert tree.best[walk(tree, "K AE T S")] == -6.0
    assert tree.best[walk(tree, "DH")] == -2.0
    assert tree.best[walk(tree, "DH AH")] == -3.5
    assert (tree.best[tree.roots : tree.outside] == 0).all()


def test_unknown_words_end_at_their_last_phoneme(tree):
    for phoneme in range(len(PHONEMES)):
        node = tree.outside + phoneme
        (end,) = ends(tree, node)
        assert end == tree.unknown + phoneme
        assert (tree.label[node], tree.best[node], tree.word[end]) == (phoneme, -9.0, -1)
        assert len(tree.spoken(end)) == 0


def test_what_follows_what_in_unknown_words(tree):
    assert tree.follows.shape == (BLANK + 1, BLANK + 1)
    np.testing.assert_allclose(np.exp(tree.follows).sum(axis=1), 1)
    k, ae, t = parse_phonemes("K AE T")
    # Of 7 pronunciations two begin with K, and AE follows both; one of two T ends a word.
    assert np.exp(tree.follows[BLANK, k]) == pytest.approx(3 / (7 + 39))
    assert np.exp(tree.follows[k, ae]) == pytest.approx(3 / (2 + 40))
    assert np.exp(tree.follows[t, BLANK]) == pytest.approx(2 / (2 + 40))
    assert tree.penalty[tree.unknown + t] == pytest.approx(-tree.follows[t, BLANK])


def test_long_and_many_words():
    generator = np.random.default_rng(1)
    names = np.array(PHONEMES)
    # Long ones with a common beginning: ten phonemes are compared at a time.
    begins = [" ".join(generator.choice(names, size)) for size in (9, 10, 11, 20)]
    spoken = [
        (f"{generator.choice(begins)} {' '.join(generator.choice(names[:4], 3))}",)
        for _ in range(400)
    ]
    scores = generator.normal(size=400).astype(np.float32)
    tree = build_pronunciation_tree(pronunciations(spoken), scores, 0.0)
    for word, (variant,) in enumerate(spoken):
        node = walk(tree, variant)
        assert word in tree.word[ends(tree, node)]
        same = [other for other, (one,) in enumerate(spoken) if one == variant]
        assert sorted(tree.word[ends(tree, node)]) == same
        assert tree.best[node] == max(scores[same])


def test_added_words_and_variants():
    known, words = ["a", "cat"], ["a", "bott", "cat", "zoe"]
    added = {
        "zoe": [parse_phonemes("Z OW IY")],
        "bott": [parse_phonemes("B AO T"), parse_phonemes("B AA T")],
        "cat": [parse_phonemes("K AO T"), parse_phonemes("K AE T")],
    }
    both = add_pronunciations(pronunciations([("AH", "EY"), ("K AE T",)]), known, words, added)
    assert [both.of(word) for word in range(4)] == [
        (parse_phonemes("AH"), parse_phonemes("EY")),
        (parse_phonemes("B AO T"), parse_phonemes("B AA T")),
        (parse_phonemes("K AE T"), parse_phonemes("K AO T")),
        (parse_phonemes("Z OW IY"),),
    ]


def test_gains_come_phoneme_by_phoneme():
    scores, gains = SCORES.copy(), np.zeros(len(SCORES), np.float32)
    scores[2], gains[2] = 3.0, 9.0
    tree = build_pronunciation_tree(pronunciations(SPOKEN), scores, -9.0, gains=gains)
    # The word is worth -6 without its gain; another that begins alike is worth -5.
    assert tree.best[walk(tree, "K")] == pytest.approx(-6 + 9 / 4)
    assert tree.best[walk(tree, "K AE T")] == pytest.approx(-6 + 9 * 3 / 4)
    assert tree.best[walk(tree, "K AE T S")] == pytest.approx(3.0)
    assert tree.best[walk(tree, "DH")] == pytest.approx(-2.0)
