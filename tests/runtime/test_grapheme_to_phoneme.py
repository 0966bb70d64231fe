"""The model in the package pronounces words that no dictionary has."""

import re
import string

import numpy as np
import pytest

from asr_runtime import DecoderError
from asr_runtime.language.grapheme_to_phoneme import (
    DEFAULT_GRAPHEME_TO_PHONEME,
    GraphemeToPhoneme,
    load_grapheme_to_phoneme,
)
from asr_runtime.language.graphone_file import GraphoneModel
from asr_runtime.language.graphone_search import GraphoneTrie, search
from asr_runtime.language.phonemes import format_phonemes, parse_phonemes
from asr_runtime.language.spoken_hotwords import pronounce_hotwords
from asr_runtime.language.trie import grow_trie


@pytest.fixture(scope="module")
def model():
    return load_grapheme_to_phoneme()


def test_size_and_stated_error_rate(model):
    assert DEFAULT_GRAPHEME_TO_PHONEME.stat().st_size <= 1_000_000
    assert model.header["held_out_phoneme_error_rate"] <= 0.08
    assert "Carnegie Mellon University" in model.header["licence"]


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("blickstone", "B L IH K S T OW N"),
        ("shreaming", "SH R IY M IH NG"),
        ("knobbletops", "N AA B AH L T AA P S"),
        ("Graxton's", "G R AE K S T AH N Z"),
        ("Graxton\u2019s", "G R AE K S T AH N Z"),
        ("vbx", "V IY B IY EH K S"),
    ],
)
def test_words_that_do_not_exist(model, word, phonemes):
    assert format_phonemes(model.pronounce(word)[0]) == phonemes


def test_doubt_gives_variants(model):
    found = model.pronounce("strether", variants=3, least=0.05)
    assert {parse_phonemes("S T R EH DH ER"), parse_phonemes("S T R EH TH ER")} <= set(found)
    assert len(model.pronounce("strether", variants=3, least=1.0)) == 1
    assert len(model.pronounce("strether", variants=1, least=0.0)) == 1


def test_together_or_one_by_one(model):
    words = ["blickstone", "a", "panayotov", "block", "o'er", "x" * 64, "blickstone", "a'er", "an"]
    together = model.pronounce_all(words, 3, 0.01)
    assert together == [model.pronounce(word, 3, 0.01) for word in words]
    assert model.pronounce_all([]) == []
    assert all(together)


def test_probabilities_are_those_of_the_n_grams(model):
    """A model so small that all ways to say a word can be counted."""
    probabilities = {"a": 0.5, "b": 0.3, "end": 0.2}
    logs = [np.log(value) for value in (1.0, *probabilities.values())]
    # Symbols: the boundary, a said as AA or as EY, b as B; "a" as AA is likelier after a "b".
    keys = np.array([0, 1, 2, 3, (4 << 8) | 1], np.uint32)
    score = np.array([0, logs[3], logs[1], logs[1], logs[2], np.log(0.9)], np.float32)
    backoff = np.array([0, 0, 0, 0, np.log(0.5), 0], np.float32)
    trie = GraphoneTrie(keys, score, backoff, np.array([0, 0, 0, 0, 0, 2], np.int32))
    letters = [("a", parse_phonemes("AA")), ("a", parse_phonemes("EY")), ("b", parse_phonemes("B"))]
    small = GraphemeToPhoneme(GraphoneModel({}, letters, trie))
    assert [format_phonemes(one) for one in small.pronounce("ba", 3, 0.01)] == ["B AA", "B EY"]
    words = grow_trie(np.array([[1, 0], [2, 1]]), np.array([1, 2]), np.zeros(2, np.float32))
    scores, symbols = search(trie, small._candidates, words, 3)
    end = 0.2
    np.testing.assert_allclose(np.exp(scores[0]), [0.5 * end, 0.5 * end, 0], rtol=1e-5)
    np.testing.assert_allclose(
        np.exp(scores[1]), [0.3 * 0.9 * end, 0.3 * 0.5 * 0.5 * end, 0], rtol=1e-5
    )
    assert symbols[1, 0].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("", "the word has no letters"),
        ("'", "the word has no letters"),
        ("x2", "'x2' has '2', which cannot be pronounced"),
        ("two words", "has ' ', which"),
        ("b" * 65, "the word has 65 letters; at most 64"),
    ],
)
def test_what_is_no_word(model, word, problem):
    with pytest.raises(ValueError, match=problem):
        model.pronounce(word)


def test_hotwords():
    found = pronounce_hotwords(["Panayotov", "Blickstone NHS"])
    assert found[0].words == ("panayotov",)
    assert format_phonemes(found[0].pronunciations[0][0]).startswith("P AA N")
    assert found[1].words == ("blickstone", "nhs")
    assert found[1].pronunciations[1][0] == parse_phonemes("EH N EY CH EH S")


def test_long_lists_have_fewer_pronunciations_of_each():
    names = [f"{a}{b}{c}a" for a in "brstlm" for b in "aeiou" for c in string.ascii_lowercase]
    alone = pronounce_hotwords(names[:1])[0].pronunciations[0]
    among = pronounce_hotwords(names)[0].pronunciations[0]
    many = pronounce_hotwords([x + y for x in names for y in ("nor", "dal", "ki", "tes")])
    assert 4 <= len(alone) <= 20
    assert among == alone
    assert max(len(phrase.pronunciations[0]) for phrase in many) == 20_000 // len(many)


def test_initials_that_could_be_a_word():
    [[upper]] = [phrase.pronunciations for phrase in pronounce_hotwords(["NASA"])]
    [[lower]] = [phrase.pronunciations for phrase in pronounce_hotwords(["nasa"])]
    assert parse_phonemes("EH N EY EH S EY") in upper
    assert parse_phonemes("EH N EY EH S EY") not in lower
    assert set(lower) < set(upper)


def test_hotword_that_cannot_be_pronounced():
    with pytest.raises(
        DecoderError, match=re.escape("hotword 'Zo\u00eb': 'zo\u00eb' has '\u00eb'")
    ):
        pronounce_hotwords(["Zo\u00eb"])
