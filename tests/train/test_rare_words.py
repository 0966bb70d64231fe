"""Rare words of a language model: they share the unknown word's probability."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from asr_runtime import LanguageModelError
from asr_runtime.language.language_model import FIRST_WORD, UNKNOWN
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_train.ngram.building import BuildSettings, build_language_model
from asr_train.ngram.converting import convert_language_model
from asr_train.ngram.unpacking import read_packed_model

TEXT = (
    "the cat sat on the mat\nthe dog sat on the cat\na cat and a dog and the mat\n" * 4
    + "the okapi sat on the mat\nthe okapi and the gnu\nan axolotl sat on the dog\n"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rare")
    (folder / "text.txt").write_text(TEXT)
    settings = BuildSettings(vocabulary=8, minimum_count=1, rare_words=2, pronounced=True)
    report = build_language_model([folder / "text.txt"], folder / "a.lm", settings)
    assert report.vocabulary == 10
    return folder / "a.lm"


def test_they_share_what_the_unknown_word_has(model: Path) -> None:
    read = read_language_model(model)
    assert "okapi" in read.words
    assert list(read.words) == sorted(read.words)
    assert len(read.words) == 10
    # Outside of the eight words are okapi twice and gnu, an and axolotl once each.
    word = np.array([read.words.index("okapi") + FIRST_WORD], np.int32)
    unknown = np.array([UNKNOWN], np.int32)
    the = np.array([read.words.index("the") + FIRST_WORD], np.int32)
    _, state = read.score(np.array([read.start], np.int32), the)
    rare, after_rare = read.score(state, word)
    any_unknown, after_unknown = read.score(state, unknown)
    np.testing.assert_allclose(rare - any_unknown, np.log(2 / 5), atol=1e-3)
    assert read.unigrams[word] - read.unigrams[UNKNOWN] == pytest.approx(np.log(2 / 5), abs=1e-3)
    # And what follows is what follows an unknown word.
    assert after_rare == after_unknown


def test_other_words_score_as_without_them(model: Path) -> None:
    plain = model.with_name("plain.lm")
    settings = BuildSettings(vocabulary=8, minimum_count=1, pronounced=True)
    build_language_model([model.with_name("text.txt")], plain, settings)
    one, other = read_language_model(model), read_language_model(plain)
    assert read_arrays(plain)[0]["format_version"] == 2
    assert read_arrays(model)[0]["format_version"] == 3
    assert set(other.words) < set(one.words)
    state = {one: one.start, other: other.start}
    for text in ["the", "cat", "sat", "on", "the", "dog", "and", "the", "mat"]:
        scores = []
        for read in (one, other):
            word = np.array([read.words.index(text) + FIRST_WORD], np.int32)
            score, following = read.score(np.array([state[read]], np.int32), word)
            state[read] = int(following[0])
            scores.append(score)
        np.testing.assert_array_equal(*scores)


def test_they_have_pronunciations(model: Path) -> None:
    read = read_language_model(model)
    spoken = read.pronunciations()
    assert spoken is not None
    assert all(spoken.of(number) for number in range(len(read.words)))


def test_tools_keep_them(model: Path) -> None:
    _, vocabulary = read_packed_model(model)
    assert len(vocabulary.words) == 8
    assert len(vocabulary.rare) == 2
    copy = model.with_name("copy.lm")
    convert_language_model(model, copy, 1_000_000, order=3)
    assert read_language_model(copy).words == read_language_model(model).words


@pytest.mark.parametrize("name", ["rare", "share_values"])
def test_a_damaged_file_is_told(model: Path, name: str, tmp_path: Path) -> None:
    content = bytearray(model.read_bytes())
    header, _ = read_arrays(model)
    place = header["arrays"][name]
    begin = len(content) - header["bytes"] + place["offset"]
    size = np.dtype(place["type"]).itemsize * place["length"]
    content[begin : begin + size] = b"\xff" * size
    digest = hashlib.sha256(content[len(content) - header["bytes"] :]).hexdigest()
    damaged = tmp_path / "damaged.lm"
    damaged.write_bytes(bytes(content).replace(header["sha256"].encode(), digest.encode()))
    with pytest.raises(LanguageModelError, match="damaged"):
        read_language_model(damaged)
