"""Grapheme-to-phoneme models: alignment, n-grams of graphones, the file, and reading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr_runtime.language.grapheme_to_phoneme import GraphemeToPhoneme
from asr_runtime.language.graphone_file import read_graphone_model
from asr_runtime.language.phonemes import format_phonemes, parse_phonemes
from asr_train.cli import main
from asr_train.errors import DataError
from asr_train.pronunciation.g2p_training import (
    G2pSettings,
    is_held_out,
    measure,
    train_g2p,
    training_pairs,
)
from asr_train.pronunciation.graphone_ngrams import BOUNDARY, Level, count_ngrams, prune, smooth
from asr_train.pronunciation.graphones import align
from asr_train.pronunciation.lexicon import write_lexicon

SOUNDS = {"a": "AE", "e": "EH", "i": "IH", "b": "B", "k": "K", "m": "M", "s": "S", "t": "T"}


def say(word: str) -> bytes:
    """A language of our own: sh is one sound, x two, an e at the end none and c depends."""
    names: list[str] = []
    for place, letter in enumerate(word):
        after = word[place + 1 : place + 2]
        if letter == "c":
            names.append("S" if after in ("e", "i") else "K")
        elif letter == "x":
            names += ["K", "S"]
        elif letter == "s" and after == "h":
            names.append("SH")
        elif letter == "h" or (letter == "e" and not after and place):
            continue
        else:
            names.append(SOUNDS[letter])
    return parse_phonemes(" ".join(names))


def make_words(number: int, seed: int) -> dict[str, tuple[bytes, ...]]:
    random = np.random.default_rng(seed)
    syllables = [
        first + vowel for first in ("b", "k", "m", "s", "t", "c", "sh", "x") for vowel in "aei"
    ]
    words = {"".join(random.choice(syllables, random.integers(1, 5))) for _ in range(number)}
    return {word: (say(word),) for word in sorted(words)}


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("g2p") / "model.g2p"
    train_g2p(make_words(600, 1), path, G2pSettings(order=4, held_out=0), {"source": "made up"})
    return path


def test_alignment() -> None:
    pairs = [(word, spoken[0]) for word, spoken in make_words(300, 1).items()]
    found = align([*pairs, ("bat", parse_phonemes("B AE T " * 3))], 40)
    assert found.dropped == ["bat"]
    assert len(found.sequences) == len(pairs)
    graphones = {(one.letter, format_phonemes(one.phonemes)) for one in found.graphones}
    assert {("x", "K S"), ("c", "S"), ("c", "K"), ("e", "")} <= graphones
    for (word, phonemes), sequence in zip(pairs, found.sequences, strict=True):
        chosen = [found.graphones[place] for place in sequence]
        assert "".join(one.letter for one in chosen) == word
        assert b"".join(one.phonemes for one in chosen) == phonemes
        assert [one.phonemes for one in chosen if one.letter == "x"] == [
            parse_phonemes("K S")
        ] * word.count("x")


def test_rare_graphones_are_left_out() -> None:
    pairs = [("ab", parse_phonemes("AE B"))] * 9 + [("aba", parse_phonemes("ZH B AE"))]
    found = align(pairs, 2)
    assert [one.letter for one in found.graphones] == ["a", "b"]
    assert found.dropped == ["aba"]


@pytest.fixture(scope="module")
def levels() -> list[Level]:
    random = np.random.default_rng(3)
    sequences = [random.integers(0, 6, random.integers(1, 9)) for _ in range(400)]
    made = count_ngrams(sequences, 4)
    smooth(made)
    return made


def ngram(levels: list[Level], number: int, place: int) -> tuple[int, ...]:
    level = levels[number]
    before = ngram(levels, number - 1, int(level.context[place])) if number else ()
    return (*before, int(level.symbol[place]))


def test_counts() -> None:
    made = count_ngrams([np.array([0, 1, 0]), np.array([0])], 3)
    counted = [
        {ngram(made, number, place): int(level.count[place]) for place in range(len(level.count))}
        for number, level in enumerate(made)
    ]
    # Graphone i is symbol i + 1. A word's end and the next one's beginning are the same boundary.
    assert counted[0] == {(0,): 3, (1,): 3, (2,): 1}
    assert counted[1] == {(0, 1): 2, (1, 2): 1, (2, 1): 1, (1, 0): 2}
    assert counted[2] == {(0, 1, 2): 1, (1, 2, 1): 1, (2, 1, 0): 1, (0, 1, 0): 1}
    for number in (1, 2):
        for place, suffix in enumerate(made[number].suffix):
            shorter = ngram(made, number - 1, int(suffix))
            assert shorter == ngram(made, number, place)[1:]


def probabilities(levels: list[Level], context: tuple[int, ...]) -> np.ndarray:
    """Of every symbol after a context, by the definition of a back-off model."""
    table: dict[tuple[int, ...], tuple[float, float]] = {}
    for number, level in enumerate(levels):
        for place in range(len(level.symbol)):
            values = float(level.probability[place]), float(level.backoff[place])
            table[ngram(levels, number, place)] = values

    def probability(before: tuple[int, ...], symbol: int) -> float:
        if (*before, symbol) in table:
            return table[(*before, symbol)][0]
        weight = table[before][1] if before in table else 1.0
        return weight * probability(before[1:], symbol)

    return np.array([probability(context, symbol) for symbol in range(len(levels[0].symbol))])


@pytest.mark.parametrize("most", [100_000, 900, 300, 60])
def test_probabilities_sum_to_one(levels: list[Level], most: int) -> None:
    pruned = prune(levels, most)
    assert sum(len(level.symbol) for level in pruned) <= most
    for context in [(), (BOUNDARY,), (1,), (BOUNDARY, 3), (3, 2, 1), (BOUNDARY, 5, 5)]:
        values = probabilities(pruned, context)
        assert (values > 0).all()
        assert values.sum() == pytest.approx(1, abs=1e-9)


def test_pruning_keeps_what_is_worth_most() -> None:
    # After 1, 2 nearly always comes 3; all else is as likely as by itself.
    random = np.random.default_rng(4)
    sequences = []
    for _ in range(500):
        sequence = random.integers(0, 5, 12)
        for place in range(10):
            if sequence[place] == 0 and sequence[place + 1] == 1:
                sequence[place + 2] = 2
        sequences.append(sequence)
    made = count_ngrams(sequences, 3)
    smooth(made)
    pruned = prune(made, 20)
    kept = [ngram(pruned, 2, place) for place in range(len(pruned[2].symbol))]
    assert (1, 2, 3) in kept
    assert len(kept) < 10


def test_words_never_seen(model_path: Path) -> None:
    model = GraphemeToPhoneme(read_graphone_model(model_path))
    seen = make_words(600, 1)
    unseen = {word: said for word, said in make_words(300, 2).items() if word not in seen}
    assert len(unseen) > 50
    rates = measure(model, unseen)
    assert rates.words == len(unseen)
    assert rates.word_errors <= 0.03
    assert rates.phoneme_errors <= 0.01
    assert rates.missed <= rates.word_errors


def test_measuring(model_path: Path) -> None:
    model = GraphemeToPhoneme(read_graphone_model(model_path))
    # What the model says is said without its first phoneme, or with one more, or listed second.
    words = {
        "bata": (say("bata")[1:],),
        "kita": (say("kita") + b"\0",),
        "mata": (b"\0" * 9, say("mata")),
    }
    rates = measure(model, words)
    assert rates.word_errors == pytest.approx(2 / 3)
    assert rates.phoneme_errors == pytest.approx(2 / (3 + 5 + 4))
    with pytest.raises(DataError, match="no words are kept apart"):
        measure(model, {})


def test_size_is_kept(tmp_path: Path) -> None:
    words = make_words(600, 1)
    settings = G2pSettings(order=5, max_bytes=5_000, held_out=10)
    report = train_g2p(words, tmp_path / "small.g2p", settings, {"source": "made up"})
    assert 4_000 <= report.size <= 5_000
    assert report.size == (tmp_path / "small.g2p").stat().st_size
    model = read_graphone_model(tmp_path / "small.g2p")
    assert report.ngrams == model.header["ngrams"]
    assert report.rates is not None
    assert report.rates.words == sum(is_held_out(word, 10) for word in words)
    assert model.header["held_out_phoneme_error_rate"] <= 0.05
    with pytest.raises(DataError, match="no model fits in 500 bytes"):
        train_g2p(words, tmp_path / "b.g2p", G2pSettings(max_bytes=500, held_out=0), {})
    assert not (tmp_path / "b.g2p").exists()


def test_what_is_learnt_from() -> None:
    words = {
        "a": (parse_phonemes("EY"),),
        "bbc": (parse_phonemes("B IY B IY S IY"),),
        "bbcs": (parse_phonemes("B IY B IY S IY Z"),),
        "bee": (parse_phonemes("B IY"), parse_phonemes("B EY")),
    }
    assert list(training_pairs(words)) == [
        ("a", parse_phonemes("EY")),
        ("bbcs", parse_phonemes("B IY B IY S IY Z")),
        ("bee", parse_phonemes("B IY")),
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"ab": "B " * 60, "abc": "AE B K", "c": "B " * 60}, "most words have over two phonemes"),
        ({"ad-hoc": "AE D HH AA K"}, "the word 'ad-hoc' has letters other than a-z and '"),
    ],
)
def test_what_is_no_dictionary(tmp_path: Path, words: dict[str, str], problem: str) -> None:
    dictionary = {word: (parse_phonemes(said),) for word, said in words.items()}
    with pytest.raises(DataError, match=problem):
        train_g2p(dictionary, tmp_path / "a.g2p", G2pSettings(held_out=0), {})


def test_smallest_dictionary(tmp_path: Path) -> None:
    dictionary = {"ab": (parse_phonemes("AE B"),), "a": (parse_phonemes("AE"),)}
    train_g2p(dictionary, tmp_path / "a.g2p", G2pSettings(held_out=0), {})
    model = GraphemeToPhoneme(read_graphone_model(tmp_path / "a.g2p"))
    assert model.pronounce("aba") == (parse_phonemes("AE B AE"),)
    with pytest.raises(ValueError, match="'c', which cannot be pronounced"):
        model.pronounce("abc")


def test_command(run_command_line: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    write_lexicon(tmp_path / "words.txt", make_words(400, 1))
    write_lexicon(tmp_path / "more.txt", {"bab": [say("bab"), say("sab")]})
    out = tmp_path / "own.g2p"
    lexicons = ("--lexicon", tmp_path / "words.txt", "--lexicon", tmp_path / "more.txt")
    status, said, _ = run_command_line(main, "g2p", "--out", out, *lexicons, "--order", 4)
    assert status == 0
    assert "words kept apart: " in said
    assert "of 1 to 4 letters" in said
    model = GraphemeToPhoneme(read_graphone_model(out))
    assert model.header["source"] == "words.txt, more.txt"
    assert "licence" not in model.header
    assert model.pronounce("xamice") == (say("xamice"),)
    status, _, errors = run_command_line(main, "g2p", "--out", tmp_path / "no" / "a.g2p")
    assert status == 1
    assert "does not exist" in errors
