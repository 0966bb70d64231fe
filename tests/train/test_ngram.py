"""Word n-gram models: counts, smoothing, pruning, and the file that the runtime reads."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr_runtime.language.language_model import BOUNDARY, FIRST_WORD, UNKNOWN
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_train.errors import DataError
from asr_train.ngram.building import BuildSettings, build_language_model
from asr_train.ngram.counting import Counts, count_ngrams
from asr_train.ngram.kneser_ney import NgramModel, estimate, log_probabilities
from asr_train.ngram.perplexity import perplexity
from asr_train.ngram.pruning import Pruner, entropy_worth, keep_only
from asr_train.ngram.quantisation import quantise
from asr_train.ngram.resmoothing import smooth_again
from asr_train.ngram.vocabulary import Vocabulary, choose_vocabulary
from asr_train.ngram.writing import largest_that_fits, write_language_model

WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "tree", "big", "red"]


def sentences(number: int, seed: int = 0) -> list[str]:
    """Sentences whose words depend on the two before them."""
    generator = np.random.default_rng(seed)
    lines = []
    for _ in range(number):
        line = [0, 1]
        for _ in range(generator.integers(2, 8)):
            # Zipf, rotated by the context.
            step = min(int(generator.zipf(1.7)) - 1, len(WORDS) - 1)
            line.append((3 * line[-1] + 5 * line[-2] + step) % len(WORDS))
        lines.append(" ".join(WORDS[index] for index in line[2:]))
    return lines


def encoded(lines: list[str], size: int = 100):  # type: ignore[no-untyped-def]
    block = ("\n".join(lines) + "\n").encode()
    vocabulary = choose_vocabulary(Counter(block.split()), size)
    return vocabulary, vocabulary.encode([block])


@pytest.fixture(scope="module")
def model() -> NgramModel:
    vocabulary, ids = encoded(sentences(3000), 11)  # one word stays unknown
    return estimate([count_ngrams(ids, order) for order in (1, 2, 3)], vocabulary.size)


def sums_to_one(model: NgramModel) -> None:
    ids = np.arange(len(model.orders[0].keys))
    for context in itertools.product(ids, ids):
        rows = np.array([[*context, word] for word in ids])
        total = np.exp(log_probabilities(model, rows, 3)).sum()
        assert total == pytest.approx(1, abs=1e-9), context


def test_counts_stay_within_sentences() -> None:
    vocabulary, ids = encoded(["b a", "", "b", "a b a"])
    assert vocabulary.words == (b"a", b"b")
    a, b = FIRST_WORD, FIRST_WORD + 1
    assert ids.tolist() == [BOUNDARY, b, a, BOUNDARY, b, BOUNDARY, a, b, a, BOUNDARY]
    counts = count_ngrams(ids, 3)
    found = {
        tuple(int(key >> np.uint64(shift)) & 0xFFFF for shift in (32, 16, 0)): int(count)
        for key, count in zip(counts.keys, counts.counts, strict=True)
    }
    assert found == {
        (BOUNDARY, b, a): 1,
        (b, a, BOUNDARY): 2,
        (BOUNDARY, b, BOUNDARY): 1,
        (BOUNDARY, a, b): 1,
        (a, b, a): 1,
    }


def test_rare_words_are_unknown() -> None:
    vocabulary = choose_vocabulary(Counter({b"x": 5, b"y": 2, b"z": 1}), 100, minimum_count=2)
    assert vocabulary.words == (b"x", b"y")
    assert vocabulary.encode([b"x z\n"]).tolist() == [BOUNDARY, FIRST_WORD, UNKNOWN, BOUNDARY]
    with pytest.raises(DataError, match="no word occurs 9 times"):
        choose_vocabulary(Counter({b"x": 5}), 100, minimum_count=9)


def test_probabilities_sum_to_one_in_seen_and_unseen_contexts(model: NgramModel) -> None:
    sums_to_one(model)


def test_bigram_by_hand() -> None:
    """Against the formulas of Chen and Goodman, on counts small enough to write down."""
    vocabulary, ids = encoded(["a b", "a b", "a c", "b c"])
    counted = [count_ngrams(ids, order) for order in (1, 2)]
    built = estimate(counted, vocabulary.size)
    a, b, c = (FIRST_WORD + index for index in range(3))
    # Distinct predecessors: a 1, b 2, c 2, the end 2; 7 in all. As none has 3, the discounts cannot
    # be estimated and are .5 and .75 for 1 and 2.
    uniform = 2.75 / 7 / 5
    unigram = {a: 0.5 / 7, b: 1.25 / 7, c: 1.25 / 7, BOUNDARY: 1.25 / 7, UNKNOWN: 0.0}
    unigram = {word: share + uniform for word, share in unigram.items()}
    # Of the bigrams, 3 occur once, 3 twice and 1 three times: Y = 3 / (3 + 2 * 3), discounts
    # 1 - 2 Y 3 / 3 and 2 - 3 Y 1 / 3. After a: b twice, c once.
    once, twice = 1 / 3, 5 / 3
    expected = {b: (2 - twice) / 3, c: (1 - once) / 3}
    for word, lower in unigram.items():
        found = np.exp(log_probabilities(built, np.array([[a, word]]), 2))[0]
        assert found == pytest.approx(expected.get(word, 0) + (once + twice) / 3 * lower)


def test_pruning_keeps_what_matters_and_sums_to_one(model: NgramModel) -> None:
    whole = [len(level.keys) for level in model.orders]
    pruner = Pruner(model)
    pruned = pruner.largest(lambda numbers, _: sum(numbers[1:]) <= sum(whole[1:]) // 2)
    kept = [len(level.keys) for level in pruned.orders]
    assert kept[0] == whole[0]
    assert 0.4 * sum(whole[1:]) < sum(kept[1:]) <= sum(whole[1:]) // 2
    sums_to_one(pruned)
    contexts = set((pruned.orders[2].keys >> np.uint64(16)).tolist())
    assert contexts <= set(pruned.orders[1].keys.tolist())
    _, text = encoded(sentences(3000), 11)
    before, after = perplexity(model, text).perplexity, perplexity(pruned, text).perplexity
    assert before < after < 1.3 * before
    # Dropping at random costs more.
    worth = entropy_worth(model, 3)
    assert (worth > 0).mean() > 0.5
    with pytest.raises(ValueError, match="single words"):
        pruner.largest(lambda numbers, contexts: False)


class TestSmoothingAgain:
    def counted(self) -> tuple[list[Counts], Vocabulary]:
        vocabulary, ids = encoded(sentences(3000), 11)
        return [count_ngrams(ids, order) for order in (1, 2, 3)], vocabulary

    def test_of_everything_is_the_same(self, model: NgramModel) -> None:
        counted, vocabulary = self.counted()
        again = smooth_again(counted, [level.keys for level in model.orders], vocabulary.size)
        for found, expected in zip(again.orders, model.orders, strict=True):
            np.testing.assert_array_equal(found.keys, expected.keys)
            np.testing.assert_allclose(found.probability, expected.probability, rtol=1e-9)
            np.testing.assert_allclose(found.backoff, expected.backoff, rtol=1e-9)

    def test_of_few_is_better(self, model: NgramModel) -> None:
        counted, vocabulary = self.counted()
        few = Pruner(model).largest(lambda numbers, _: sum(numbers[1:]) <= 60)
        again = smooth_again(counted, [level.keys for level in few.orders], vocabulary.size)
        sums_to_one(again)
        _, text = encoded(sentences(1000, seed=7), 11)
        assert perplexity(again, text).perplexity < perplexity(few, text).perplexity

    def test_leaves_out_what_the_text_does_not_have(self, model: NgramModel) -> None:
        counted, vocabulary = self.counted()
        strange = np.uint64((BOUNDARY << 16) | BOUNDARY)
        keys = [level.keys for level in model.orders]
        assert strange not in keys[1]
        keys[1] = np.sort(np.append(keys[1], strange))
        again = smooth_again(counted, keys, vocabulary.size)
        np.testing.assert_array_equal(again.orders[1].keys, model.orders[1].keys)


def test_worth_is_the_relative_entropy(model: NgramModel) -> None:
    """Of dropping one n-gram, summed over every word after its context."""
    level, below = model.orders[2], model.orders[1]
    worths = entropy_worth(model, 3)
    ids = np.arange(len(model.orders[0].keys))
    for index in (3, 77, 200):
        key = int(level.keys[index])
        context = [key >> 32, (key >> 16) & 0xFFFF]
        rows = np.array([[*context, word] for word in ids])
        p = np.exp(log_probabilities(model, rows, 3))
        lower = np.exp(log_probabilities(model, rows[:, 1:], 2))
        explicit = np.isin((key >> 16 << 16) + ids, level.keys.astype(np.int64))
        explicit[key & 0xFFFF] = False
        q = np.where(explicit, p, 0)
        q[~explicit] = lower[~explicit] * (1 - q.sum()) / lower[~explicit].sum()
        parent = np.searchsorted(below.keys, np.uint64(key >> 16))
        entropy = below.context_probability[parent] * (p * np.log(p / q)).sum()
        assert worths[index] == pytest.approx(entropy, rel=1e-6, abs=1e-15)


def test_perplexity_by_hand() -> None:
    vocabulary, ids = encoded(sentences(50), 11)
    built = estimate([count_ngrams(ids, order) for order in (1, 2, 3)], vocabulary.size)
    lines = ["the cat", "zebra sat the"]
    text = vocabulary.encode([("\n".join(lines) + "\n").encode()])
    total, number, position = 0.0, 0, 0
    for line in lines:
        length = len(line.split()) + 2
        sentence = text[position : position + length].astype(np.int64)
        position += length - 1
        for end in range(1, len(sentence)):
            row = sentence[max(0, end - 2) : end + 1]
            if row[-1] != UNKNOWN:
                total += log_probabilities(built, row[None], len(row))[0]
                number += 1
    found = perplexity(built, text)
    assert found.perplexity == pytest.approx(np.exp(-total / number))
    assert found.unknown >= 0.2
    assert found.words == 5


def coded(model: NgramModel) -> NgramModel:
    """The model with the values that its file has for probabilities and back-off weights."""
    orders = []
    for number, level in enumerate(model.orders, start=1):
        codes, values = quantise(np.log(level.probability), 8 if number == 1 else 4)
        backoff = level.backoff.copy()
        if number < model.order:
            longer = model.orders[number].keys >> np.uint64(16)
            heads = np.isin(level.keys, longer)
            found, table = quantise(np.log(backoff[heads]), 8)
            backoff[heads] = np.exp(table[found])
        orders.append(replace(level, probability=np.exp(values[codes]), backoff=backoff))
    return NgramModel(orders)


@pytest.mark.parametrize("order", [2, 3])
def test_runtime_reads_the_same_probabilities(tmp_path: Path, order: int) -> None:
    vocabulary, ids = encoded(sentences(500), 11)
    built = estimate([count_ngrams(ids, number) for number in range(1, order + 1)], vocabulary.size)
    if order == 3:
        # Half of the bigrams are contexts of trigrams.
        bigrams = built.orders[1].keys
        children = np.isin(built.orders[2].keys >> np.uint64(16), bigrams[::2])
        everything = [np.ones(len(level.keys), bool) for level in built.orders[:2]]
        built = keep_only(built, [*everything, children])
    write_language_model(tmp_path / "a.lm", built, vocabulary, {"source": "test"})
    read = read_language_model(tmp_path / "a.lm")
    assert list(read.words) == [word.decode() for word in vocabulary.words]
    assert read.header["source"] == "test"
    built = coded(built)
    ids = range(vocabulary.size)
    for words in itertools.product(ids, ids, ids):
        state, spoken = np.array([read.start], np.int32), [BOUNDARY]
        for word in words:
            score, state = read.score(state, np.array([word], np.int32))
            spoken.append(word)
            row = np.array([spoken[-min(order, len(spoken)) :]])
            expected = log_probabilities(built, row, row.shape[1])[0]
            assert score[0] == pytest.approx(expected, abs=1e-4)


def test_further_arrays_count_among_the_bytes(model: NgramModel, tmp_path: Path) -> None:
    vocabulary, _ = encoded(sentences(3000), 11)
    whole = len(largest_that_fits(Pruner(model), vocabulary, 10**6, lambda _: {})[1])
    extra = {"sounds": np.arange(300, dtype=np.int32)}
    limit = whole + 600
    found, content = largest_that_fits(Pruner(model), vocabulary, limit, lambda _: {}, extra=extra)
    assert len(content) <= limit
    assert len(found.orders[2].keys) < len(model.orders[2].keys)
    (tmp_path / "a.lm").write_bytes(content)
    assert read_language_model(tmp_path / "a.lm").order == 3
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.lm")[1]["sounds"], extra["sounds"])


def test_file_keeps_to_its_size(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(sentences(4000)) + "\n")
    (tmp_path / "dev.txt").write_text("\n".join(sentences(50, seed=9)) + "\n")
    sizes = []
    perplexities = []
    for limit in (12_500, 14_000, 1_000_000):
        settings = BuildSettings(max_bytes=limit, source="made up", licence="public domain")
        out = tmp_path / f"{limit}.lm"
        report = build_language_model([tmp_path / "a.txt"], out, settings, [tmp_path / "dev.txt"])
        (file,) = report.files
        assert file.size == out.stat().st_size <= limit
        sizes.append(file.size)
        perplexities.append(file.perplexities[0].perplexity)
        assert read_language_model(out).header["licence"] == "public domain"
    assert sizes == sorted(sizes)
    assert perplexities == sorted(perplexities, reverse=True)
    with pytest.raises(DataError, match="words alone take more than"):
        build_language_model([tmp_path / "a.txt"], out, BuildSettings(max_bytes=1000))


def test_no_file_has_more_bigrams_than_readers_tell_apart(
    model: NgramModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary, _ = encoded(sentences(3000), 11)
    bigrams = len(model.orders[1].keys)
    most = len(model.orders[0].keys) + bigrams // 2
    monkeypatch.setattr("asr_train.ngram.writing._MOST_STATES", most)
    found, content = largest_that_fits(Pruner(model), vocabulary, 10**6, lambda _: {})
    assert bigrams // 4 < len(found.orders[1].keys) <= bigrams // 2
    (tmp_path / "a.lm").write_bytes(content)
    assert read_language_model(tmp_path / "a.lm").header["ngrams"]["2"] == len(found.orders[1].keys)
