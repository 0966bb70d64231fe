"""Phonemes, packed pronunciations and hotwords with sounds."""

import numpy as np
import pytest

from asr_runtime import DecoderError
from asr_runtime.errors import ModelFileError
from asr_runtime.language.phonemes import BLANK, PHONEMES, format_phonemes, parse_phonemes
from asr_runtime.language.pronunciations import Pronunciations
from asr_runtime.language.spoken_hotwords import pronounce_hotwords

END = 39


def pack(*symbols):
    numbers = [a * 1600 + b * 40 + c for a, b, c in zip(*[iter(symbols)] * 3, strict=True)]
    return np.array(numbers, np.uint16)


def bits(text):
    return np.packbits([int(bit) for bit in text], bitorder="little")


def test_phonemes_are_cmudicts():
    assert len(PHONEMES) == 39 == BLANK
    assert list(PHONEMES) == sorted(PHONEMES)
    assert (PHONEMES[0], PHONEMES[38]) == ("AA", "ZH")


def test_reading_and_writing_phonemes():
    assert parse_phonemes("P AA N") == bytes([26, 0, 22])
    assert parse_phonemes(" p aa1  n ") == parse_phonemes("P AA N")
    assert format_phonemes(parse_phonemes("AH0 Y OW2")) == "AH Y OW"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (" ", "the pronunciation is empty"),
        ("P QQ", "'QQ' is no phoneme; they are AA AE"),
        ("AA3", "'AA3' is no phoneme"),
        ("P1", "'P1' is no phoneme"),
        ("P " * 65, "has 65 phonemes; at most 64"),
    ],
)
def test_what_is_no_pronunciation(text, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        parse_phonemes(text)
    assert "\n" not in str(caught.value)


def test_unpacking():
    # Two pronunciations of the first word, none of the second, one of the third.
    arrays = {
        "phonemes": pack(1, 2, END, 3, END, 38, 4, 5, 6, END, END, END),
        "pronunciations": bits("001101"),
    }
    found = Pronunciations.from_arrays(arrays, 3)
    assert found.word.tolist() == [0, 0, 2]
    assert found.offsets.tolist() == [0, 2, 3, 7]
    assert found.phonemes.tolist() == [1, 2, 3, 38, 4, 5, 6]
    assert [found.of(word) for word in range(3)] == [
        (bytes([1, 2]), bytes([3])),
        (),
        (bytes([38, 4, 5, 6]),),
    ]


def test_unpacking_nothing():
    arrays = {"phonemes": np.zeros(0, np.uint16), "pronunciations": bits("11")}
    found = Pronunciations.from_arrays(arrays, 2)
    assert found.offsets.tolist() == [0]
    assert len(found.word) == len(found.phonemes) == 0


@pytest.mark.parametrize(
    ("phonemes", "counts", "words"),
    [
        (pack(1, 2, END), bits("01"), 2),  # a word has no bits
        (pack(1, 2, END), bits("011"), 1),  # a word too many
        (pack(1, 2, END), np.array([2, 0], np.uint8), 1),  # bytes too many
        (pack(1, 2, END), bits("001"), 1),  # a pronunciation is missing
        (pack(1, 2, END, 3, 4, END), bits("01"), 1),  # one too many
        (pack(1, 2, 3), bits("01"), 1),  # no end
        (pack(1, END, 2), bits("01"), 1),  # phonemes after the end
        (pack(END, 1, END), bits("001"), 1),  # an empty one
        (pack(*[1] * 65, END), bits("01"), 1),  # too long
        (pack(*[1, END, END] * 5), bits("0000001"), 1),
        (pack(1, END, 2, END, 3, END, 4, END, 5, END, END, END), bits("000001"), 1),  # too many
        (np.array([64000, 1 * 1600 + END * 40 + END], np.uint16), bits("01"), 1),
        (pack(1, 2, END).astype(np.int64), bits("01"), 1),
        (pack(1, 2, END), bits("01").astype(np.uint16), 1),
    ],
)
def test_damaged_pronunciations(phonemes, counts, words):
    with pytest.raises(ValueError, match=r"\w"):
        Pronunciations.from_arrays({"phonemes": phonemes, "pronunciations": counts}, words)


def test_hotword_with_its_sounds_needs_no_model(tmp_path):
    found = pronounce_hotwords(
        ["Panayotov=P AA N AH Y OW T AO F", "Vassil Panayotov=v aa1 s, P AA", "panayotov=P AA"],
        model=tmp_path / "none",
    )
    assert [phrase.words for phrase in found] == [("panayotov",), ("vassil", "panayotov")]
    first = [format_phonemes(one) for one in found[0].pronunciations[0]]
    assert first == ["P AA N AH Y OW T AO F", "P AA"]
    assert found[1].pronunciations == ((parse_phonemes("V AA S"),), (parse_phonemes("P AA"),))


def test_hotword_that_the_language_model_knows_needs_no_model(tmp_path):
    known = {"york": (parse_phonemes("Y AO R K"),), "new": (parse_phonemes("N UW"),)}
    [found] = pronounce_hotwords(["New York"], lambda word: known.get(word, ()), tmp_path / "none")
    assert found.words == ("new", "york")
    assert found.pronunciations == (known["new"], known["york"])
    with pytest.raises(ModelFileError, match="none: cannot be opened"):
        pronounce_hotwords(["Newark"], model=tmp_path / "none")


@pytest.mark.parametrize(
    ("hotword", "problem"),
    [
        ("", "hotword '' has no word"),
        (" =P AA", "has no word; give WORD or WORD=PHONEMES"),
        ("Ivo=", "hotword 'Ivo=': the pronunciation is empty"),
        ("Ivo=IY VV", "hotword 'Ivo=IY VV': 'VV' is no phoneme"),
        ("Ivo=IY=V", "'IY=V' is no phoneme"),
        ("two words=T UW", "has 2 words and 1 pronunciations; give one for each"),
        ("one=W AH, N", "has 1 words and 2 pronunciations"),
    ],
)
def test_hotword_that_cannot_be_read(hotword, problem, tmp_path):
    with pytest.raises(DecoderError, match=problem):
        pronounce_hotwords([hotword], model=tmp_path / "none")
