"""The file of a grapheme-to-phoneme model: damage and nonsense in it are found."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from asr_runtime.errors import ModelFileError
from asr_runtime.language.graphone_file import MAGIC, read_graphone_model
from asr_runtime.language.phonemes import parse_phonemes
from asr_train.pronunciation.g2p_training import (
    G2pSettings,
    train_g2p,
)
from asr_train.pronunciation.g2p_writing import encode_model
from asr_train.pronunciation.graphone_ngrams import Level
from asr_train.pronunciation.graphones import Graphone

SOUNDS = {"a": "AE", "e": "EH", "b": "B", "k": "K", "s": "S", "t": "T"}


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ["".join(letters) for letters in itertools.product("bkst", "ae", "bkst", "ae")]
    dictionary = {
        word: (parse_phonemes(" ".join(SOUNDS[letter] for letter in word)),) for word in words
    }
    path = tmp_path_factory.mktemp("g2p") / "model.g2p"
    train_g2p(dictionary, path, G2pSettings(order=4, held_out=0), {"source": "made up"})
    return path


def test_damaged_files(model_path: Path, tmp_path: Path) -> None:
    content = model_path.read_bytes()
    damaged = tmp_path / "damaged.g2p"
    random = np.random.default_rng(5)
    changed = [content[:number] for number in (8, 11, 40, len(content) // 2, len(content) - 1)]
    for place in random.integers(len(MAGIC), len(content), 60):
        changed.append(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
    for text in changed:
        damaged.write_bytes(text)
        try:
            read_graphone_model(damaged)
        except ModelFileError as error:
            assert str(error).startswith(f"{damaged}: ")  # noqa: PT017 - not all are noticed
        else:
            # Only words for people in the header have no checksum.
            assert text[: len(text) // 2].isascii() or text[-64:] == content[-64:]


def with_header(content: bytes, **changes: object) -> bytes:
    begin = len(MAGIC) + 4
    end = begin + int.from_bytes(content[len(MAGIC) : begin], "little")
    header = {**json.loads(content[begin:end]), **changes}
    text = json.dumps(header).encode()
    return MAGIC + len(text).to_bytes(4, "little") + text + content[end:]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format_version": 2}, "has grapheme-to-phoneme format 2, which this version does not"),
        ({"ngrams": [1]}, "is a damaged grapheme-to-phoneme model; copy it again"),
        ({"ngrams": [10**12] * 4}, "is a damaged"),
        ({"contexts": [10**12] * 3}, "is a damaged"),
        ({"contexts": [1, 1, 1]}, "is a damaged"),
        ({"probabilities": [0.5]}, "is a damaged"),
        ({"probabilities": [float("nan")] * 32}, "is a damaged"),
        ({"backoffs": [0.0]}, "is a damaged"),
        ({"graphones": ["a:AE"]}, "is a damaged"),
        ({"graphones": ["ab:AE"] * 17}, "is a damaged"),
        ({"sha256": ""}, "is a damaged"),
        ({"graphones": None}, "is a damaged"),
    ],
)
def test_headers_that_do_not_fit(
    model_path: Path, tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    path = tmp_path / "other.g2p"
    path.write_bytes(with_header(model_path.read_bytes(), **changes))
    with pytest.raises(ModelFileError, match=problem):
        read_graphone_model(path)
    path.write_bytes(with_header(model_path.read_bytes(), source="another"))
    assert read_graphone_model(path).header["source"] == "another"


def make_level(context: list[int], symbol: list[int]) -> Level:
    ones = np.ones(len(symbol), np.int64)
    halves = np.full(len(symbol), 0.5)
    return Level(np.array(context), np.array(symbol), 0 * ones, ones, halves, halves)


@pytest.mark.parametrize(
    ("contexts", "symbols"),
    [
        ([0, 2], [1, 2]),  # a trigram 0 1 2 without the bigram 1 2
        ([0, 1, 1], [1, 2, 2]),  # the same bigram twice
        ([0, 1, 1], [1, 2, 1]),  # not sorted
        ([0, 1, 1], [1, 2, 9]),  # no such symbol
    ],
)
def test_ngrams_that_do_not_fit(tmp_path: Path, contexts: list[int], symbols: list[int]) -> None:
    graphones = [Graphone("a", b"\0"), Graphone("b", b"\1")]
    singles, path = make_level([0, 0, 0], [0, 1, 2]), tmp_path / "made.g2p"

    def write(contexts: list[int], symbols: list[int]) -> None:
        pairs = make_level(contexts, symbols)
        path.write_bytes(encode_model(graphones, [singles, pairs, make_level([0], [2])], {}))

    write([0, 1], [1, 2])
    assert read_graphone_model(path).trie.suffix.tolist() == [0, 0, 0, 0, 2, 3, 5]
    write(contexts, symbols)
    with pytest.raises(ModelFileError, match="is a damaged"):
        read_graphone_model(path)


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ModelFileError, match="text: is not a grapheme-to-phoneme model; give a"):
        read_graphone_model(tmp_path / "text")
    with pytest.raises(ModelFileError, match="cannot be opened"):
        read_graphone_model(tmp_path)
