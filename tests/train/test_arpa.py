"""ARPA files: the same probabilities there and back, and in another program's reader."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest

from asr_train.errors import DataError
from asr_train.ngram.arpa import read_arpa, write_arpa
from asr_train.ngram.counting import count_ngrams
from asr_train.ngram.kneser_ney import NgramModel, estimate
from asr_train.ngram.perplexity import perplexity, text_log_probabilities
from asr_train.ngram.pruning import Pruner
from asr_train.ngram.unpacking import read_packed_model
from asr_train.ngram.vocabulary import Vocabulary
from asr_train.ngram.writing import write_language_model

WORDS = [b"a", b"big", b"cat", b"dog's", b"mat", b"on", b"ran", b"sat", b"the"]
SMALL = """
\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-99\t<s>\t-0.3
-1.5\t</s>
-0.7\tThe\t-0.2
-0.6\tcat\t-0.1
-1.0\tx9

\\2-grams:
-0.2\t<s> the\t-0.4
-0.4\tcat </s>
-0.9\tthe x9

\\3-grams:
-0.1\t<s> the cat

\\end\\
"""


def text(number: int, seed: int = 0) -> bytes:
    generator = np.random.default_rng(seed)
    lines = []
    for _ in range(number):
        word, line = 0, []
        for _ in range(generator.integers(2, 9)):
            word = (2 * word + min(int(generator.zipf(1.6)), 8)) % len(WORDS)
            line.append(WORDS[word])
        lines.append(b" ".join(line) + b"\n")
    return b"".join(lines)


@pytest.fixture(scope="module", params=[2, 3])
def built(request: pytest.FixtureRequest) -> tuple[NgramModel, Vocabulary]:
    """A pruned model that does not know one of the words."""
    vocabulary = Vocabulary(tuple(word for word in WORDS if word != b"ran"))
    ids = vocabulary.encode([text(400)])
    counted = [count_ngrams(ids, order) for order in range(1, request.param + 1)]
    model = estimate(counted, vocabulary.size)
    whole = sum(len(level.keys) for level in model.orders)
    return Pruner(model).largest(lambda numbers, _: sum(numbers) < 0.7 * whole), vocabulary


def test_round_trip(built: tuple[NgramModel, Vocabulary], tmp_path: Path) -> None:
    model, vocabulary = built
    write_arpa(tmp_path / "a.arpa", model, vocabulary)
    read, words = read_arpa(tmp_path / "a.arpa")
    assert words == vocabulary
    ids = vocabulary.encode([text(50, seed=3)])
    expected = text_log_probabilities(model, ids)
    np.testing.assert_allclose(text_log_probabilities(read, ids), expected, atol=1e-5)
    assert perplexity(read, ids).perplexity == pytest.approx(perplexity(model, ids).perplexity)
    # What is worth least goes first here, too.
    pruned = Pruner(read).largest(lambda numbers, _: sum(numbers[1:]) < len(model.orders[1].keys))
    assert perplexity(pruned, ids).perplexity > perplexity(model, ids).perplexity


def test_another_reader(built: tuple[NgramModel, Vocabulary], tmp_path: Path) -> None:
    kenlm = pytest.importorskip(
        "flashlight.lib.text.decoder.kenlm", reason="flashlight-text is not installed"
    )
    dictionary = pytest.importorskip("flashlight.lib.text.dictionary")
    model, vocabulary = built
    write_arpa(tmp_path / "a.arpa", model, vocabulary)
    words = dictionary.Dictionary([word.decode() for word in WORDS] + ["<unk>"])
    reader = kenlm.KenLM(str(tmp_path / "a.arpa"), words)
    total, number = 0.0, 0
    for line in text(50, seed=3).decode().splitlines():
        state = reader.start(False)
        for word in line.split():
            state, log = reader.score(state, words.get_index(word))
            if word != "ran":
                total += log
                number += 1
        _, log = reader.finish(state)
        total += log
        number += 1
    ids = vocabulary.encode([text(50, seed=3)])
    assert 10 ** (-total / number) == pytest.approx(perplexity(model, ids).perplexity, rel=1e-5)


def test_file_of_the_runtime(built: tuple[NgramModel, Vocabulary], tmp_path: Path) -> None:
    """All n-grams come back, with values near their own."""
    model, vocabulary = built
    write_language_model(tmp_path / "a.lm", model, vocabulary, {})
    read, words = read_packed_model(tmp_path / "a.lm")
    assert words == vocabulary
    for found, expected in zip(read.orders, model.orders, strict=True):
        np.testing.assert_array_equal(found.keys, expected.keys)
        error = np.log(found.probability) - np.log(expected.probability)
        assert np.abs(error).mean() < 0.15
    for found, expected in zip(read.orders[:-1], model.orders[:-1], strict=True):
        np.testing.assert_allclose(found.backoff, expected.backoff, rtol=0.05)


def test_foreign_file(tmp_path: Path) -> None:
    """Upper case, a word that nobody can spell, and a trigram whose end is no bigram."""
    for name, opened in (("a.arpa", open), ("a.arpa.gz", gzip.open), ("a.arpa.xz", lzma.open)):
        with opened(tmp_path / name, "wt") as file:
            file.write(SMALL)
        model, vocabulary = read_arpa(tmp_path / name)
        assert vocabulary.words == (b"cat", b"the")
        ids = vocabulary.encode([b"the cat\ncat the\n"])
        expected = [-0.2, -0.3 - 0.6, -0.4 - 0.1, -0.1 - 0.4 - 0.2 - 1.5]
        logs = {
            "<s> the": -0.2,
            "<s> cat": -0.3 - 0.6,
            "<s> the cat": -0.1,
            "the cat </s>": -0.4,
            "<s> cat the": -0.1 - 0.7,
            "cat the </s>": -0.2 - 1.5,
        }
        found = text_log_probabilities(model, ids) / np.log(10)
        np.testing.assert_allclose(sorted(found), sorted(logs.values()), atol=1e-9)
        del expected
        write_language_model(tmp_path / "a.lm", model, vocabulary, {})
    short, _ = read_arpa(tmp_path / "a.arpa", order=2)
    assert short.order == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no \\\\data"),
        ("\\data\\\n\n", "does not say how many"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\n-1\ta\n", "no bigrams"),
        (SMALL.replace("\\2-grams:", "\\3-grams:"), "no .2-grams:"),
        (SMALL.replace("-0.4\tcat </s>\n", ""), "no .3-grams|is not an n-gram"),
        (SMALL.replace("-0.4\tcat </s>", "x\tcat </s>"), "is not an n-gram"),
        (SMALL.replace("-0.1\t<s> the cat", "-0.1\tthe cat"), "is no 3-gram"),
        (SMALL[: SMALL.index("-0.1\t<s> the cat")], "ends early"),
    ],
)
def test_unusable(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "a.arpa").write_text(content)
    with pytest.raises(DataError, match=problem):
        read_arpa(tmp_path / "a.arpa")
