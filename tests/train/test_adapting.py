"""``asr-train adapt-language-model``: a model of one's field from a model and a few sentences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from neural_runs import KINDS, run, small_network, write_base

from asr_runtime.language.language_model import FIRST_WORD, UNKNOWN, LanguageModel
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_runtime.language.phonemes import format_phonemes
from asr_runtime.language.pronunciations import Pronunciations
from asr_train.cli import main
from asr_train.neural_lm.known_words import most_probable_words
from asr_train.neural_lm.model_writing import add_network
from asr_train.ngram import adapting
from asr_train.ngram.adapting import extended, renumbered
from asr_train.ngram.pruning import normalise, set_backoffs
from asr_train.ngram.unpacking import read_packed_model
from asr_train.ngram.vocabulary import Vocabulary

FIELD = "two oat lattes\ntwo oat lattes please\nthe okapi purrs\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a network, a rare word, and pronunciations."""
    path = write_base(tmp_path_factory.mktemp("base"))
    known = most_probable_words(path, 15)
    add_network(small_network(), known, path, path)
    return path


@pytest.fixture(scope="module")
def field(base: Path) -> Path:
    path = base.with_name("field.txt")
    path.write_text(FIELD * 20)
    return path


@pytest.fixture(scope="module")
def adapted(base: Path, field: Path) -> tuple[Path, str]:
    out = base.with_name("adapted.lm")
    options = ("--out", out, "--dev-text", field, "--dev-text", base.with_name("dev.txt"))
    return out, run("adapt-language-model", base, field, *options, "--weight", 0.25)


def scores(model: LanguageModel, *sentences: str) -> np.ndarray:
    """Nats of each word of some sentences."""
    found: list[float] = []
    ids = {word: model.words.index(word) + FIRST_WORD for word in model.words}
    for sentence in sentences:
        state = np.array([model.start], np.int32)
        for word in sentence.split():
            score, state = model.score(state, np.array([ids.get(word, UNKNOWN)], np.int32))
            found.append(float(score[0]))
    return np.array(found)


def spoken(path: Path) -> dict[str, list[str]]:
    words = read_language_model(path).words
    pronunciations = Pronunciations.from_arrays(read_arrays(path)[1], len(words))
    return {
        word: [format_phonemes(each) for each in pronunciations.of(place)]
        for place, word in enumerate(words)
    }


def test_both_are_known_afterwards(base: Path, field: Path, adapted: tuple[Path, str]) -> None:
    out, said = adapted
    assert "new words: 4" in said  # the okapi was a rare word
    own, dev = (line for line in said.splitlines() if line.startswith("perplexity"))
    for line, change in ((own, 0.2), (dev, 1.45)):
        now, then = float(line.split(": ")[1].split()[0]), float(line.split("(")[1].split()[0])
        assert now < change * then
    model = read_language_model(out)
    assert {"lattes", "okapi", *KINDS} <= set(model.words)
    assert model.header["adapted"] == {"texts": "field.txt", "weight": 0.25}
    assert scores(model, "two oat lattes please")[1:].min() > np.log(0.1)


def test_it_is_the_weighted_mean(
    base: Path, field: Path, adapted: tuple[Path, str], tmp_path: Path
) -> None:
    alone = tmp_path / "alone.lm"
    vocabulary = read_language_model(adapted[0]).words
    # The field's own model, with the same words.
    words = tmp_path / "words.txt"
    words.write_text("\n".join(vocabulary))
    run("language-model", field, words, "--out", alone, "--weights", "1,1e-9", "--minimum-count", 1)
    sentences = ("the cat in here purrs", "the hen in here clucks", "the fox in here howls")
    parts = [scores(read_language_model(path), *sentences) for path in (base, alone)]
    expected = np.log(0.75 * np.exp(parts[0]) + 0.25 * np.exp(parts[1]))
    # Probabilities in the file are of 16 kinds.
    found = scores(read_language_model(adapted[0]), *sentences)
    assert found == pytest.approx(expected, abs=0.35)
    assert (np.abs(found - expected) < 0.1).mean() > 0.6


def test_words_sound_as_before_and_new_ones_as_english_does(
    base: Path, adapted: tuple[Path, str]
) -> None:
    before, after = spoken(base), spoken(adapted[0])
    assert {word: after[word] for word in before} == before
    assert after["two"] == ["T UW"]
    assert after["lattes"]


def test_a_lexicon_comes_before_all(base: Path, field: Path, tmp_path: Path) -> None:
    lexicon, out = tmp_path / "lexicon.txt", tmp_path / "out.lm"
    lexicon.write_text("lattes L AA T EY Z\ncat K AO T\n")
    run("adapt-language-model", base, field, "--out", out, "--lexicon", lexicon)
    found = spoken(out)
    assert (found["lattes"], found["cat"]) == (["L AA T EY Z"], ["K AO T"])
    assert found["dog"] == spoken(base)["dog"]


def test_the_network_knows_the_same_words(base: Path, adapted: tuple[Path, str]) -> None:
    before, after = read_language_model(base), read_language_model(adapted[0])
    assert before.network is not None
    assert after.network is not None
    rows = dict(zip(before.words, before.network.row[2:].tolist(), strict=True))
    found = dict(zip(after.words, after.network.row[2:].tolist(), strict=True))
    assert {word: found[word] for word in rows} == rows
    assert {found[word] for word in ("two", "oat", "lattes", "please")} == {1}


def test_words_for_which_there_is_no_room_become_rare(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, known = read_packed_model(base)
    monkeypatch.setattr(adapting, "MAX_WORDS", 12)
    vocabulary = extended(model, known, [b"lattes", b"okapi", b"the"])
    assert len(vocabulary.words) == 12
    assert {b"lattes", b"okapi", b"the"} <= set(vocabulary.words)
    assert not set(vocabulary.words) & set(vocabulary.rare)
    assert set(vocabulary.spelled) == {*known.spelled, b"lattes"}
    changed = renumbered(model, known, vocabulary)
    unigrams = dict(zip(vocabulary.words, changed.orders[0].probability[2:], strict=True))
    assert changed.orders[0].probability.sum() == pytest.approx(1)
    # The least probable ones went, and are as probable as they were.
    before = dict(zip(known.words, model.orders[0].probability[2:], strict=True))
    kept = [before[word] for word in unigrams if word in before and word != b"the"]
    for word, share in vocabulary.rare.items():
        assert before[word] <= min(kept)
        mass = changed.orders[0].probability[UNKNOWN] * np.exp(share)
        assert mass == pytest.approx(before[word], rel=0.01)
    assert len(changed.orders[1].keys) < len(model.orders[1].keys)
    assert (np.diff(changed.orders[2].keys.astype(np.int64)) > 0).all()


def test_rounding_takes_nothing_from_words_that_are_not_stored(base: Path) -> None:
    """After a frequent word the stored ones may sum to more than one in a file."""
    model, _ = read_packed_model(base)
    words, pairs = model.orders[0], model.orders[1]
    words.probability /= words.probability.sum()
    first = (pairs.keys >> np.uint64(16)).astype(np.int64)
    common = int(np.bincount(first).argmax())
    stored = first == common
    pairs.probability[stored] *= 1.05 / pairs.probability[stored].sum()
    second = (pairs.keys[stored] & np.uint64(0xFFFF)).astype(np.int64)
    rest = 1 - words.probability[second].sum()
    before = words.backoff[common] * rest / 1.05
    normalise(model)
    left = words.backoff[common] * rest
    assert left > 0.01
    assert left / pairs.probability[stored].sum() == pytest.approx(before)
    assert left + pairs.probability[stored].sum() == pytest.approx(1)
    expected = [level.backoff.copy() for level in model.orders[:2]]
    set_backoffs(model)
    for level, backoff in zip(model.orders, expected, strict=False):
        np.testing.assert_allclose(level.backoff, backoff, rtol=1e-6)


def test_nothing_is_rare_where_there_is_room(base: Path) -> None:
    model, known = read_packed_model(base)
    assert extended(model, Vocabulary(known.words), [b"lattes"]).rare == {}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["none.lm", "field.txt"], "none.lm: there is no such language model"),
        (["field.txt", "field.txt"], "field.txt: is not a language model"),
        (["base.lm", "none.txt"], "none.txt: cannot read the text"),
        (["base.lm", "empty.txt"], "empty.txt: holds no words"),
        (["base.lm", "field.txt", "--max-megabytes", "0.001"], "words alone take more"),
        (["base.lm", "field.txt", "--out", "no/a.lm"], "the folder no does not exist"),
    ],
)
def test_unusable(
    run_command_line: Callable[..., tuple[int, str, str]],
    base: Path,
    field: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.lm").symlink_to(base)
    Path("field.txt").symlink_to(field)
    Path("empty.txt").write_text("\n")
    arguments = arguments if "--out" in arguments else [*arguments, "--out", "a.lm"]
    status, _, errors = run_command_line(main, "adapt-language-model", *arguments)
    assert status == 1
    assert problem in errors.splitlines()[-1]
    assert not Path("a.lm").exists()
