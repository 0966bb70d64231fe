"""The language model's file: its codes, and very many contexts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asr_runtime.language.language_model_file import read_language_model
from asr_train.ngram.kneser_ney import NgramModel, Order
from asr_train.ngram.quantisation import quantise
from asr_train.ngram.vocabulary import (
    FIRST_WORD,
    Vocabulary,
)
from asr_train.ngram.writing import write_language_model


def test_codes_are_close_to_their_values() -> None:
    generator = np.random.default_rng(1)
    values = np.concatenate([generator.normal(-3, 1, 50_000), generator.uniform(-20, 0, 500)])
    codes, book = quantise(values, 8)
    assert len(book) <= 256
    error = np.abs(book[codes] - values)
    assert error.mean() < 0.02
    assert error.max() <= (values.max() - values.min()) / 24
    # No worse than codes at equal distances, or of equal shares, in the mean of squares.
    for edges in (
        np.linspace(values.min(), values.max(), 257),
        np.quantile(values, np.linspace(0, 1, 257)),
    ):
        share = np.searchsorted(edges[1:-1], values)
        number = np.maximum(np.bincount(share, minlength=256), 1)
        means = np.bincount(share, values, 256) / number
        assert (error**2).mean() < ((means[share] - values) ** 2).mean()
    # Twice the codes, half the error.
    coarse, table = quantise(values, 7)
    assert np.abs(table[coarse] - values).mean() > 1.7 * error.mean()
    few, small = quantise(np.array([-1.0, -2.0, -1.0]), 8)
    np.testing.assert_allclose(small[few], [-1, -2, -1], atol=1e-6)


def test_runtime_reads_many_contexts(tmp_path: Path) -> None:
    """All pairs of 300 words are contexts of one word each, which is found after no other pair."""
    size = 300
    pairs = np.arange(size * size, dtype=np.uint64)
    first, second = np.divmod(pairs, np.uint64(size))
    follower = (pairs * np.uint64(7)) % np.uint64(size)
    flat = np.full(size, 1 / size)
    keys = (first << np.uint64(16)) | second
    built = NgramModel(
        [
            Order(np.arange(size, dtype=np.uint64), flat, np.ones(size), flat),
            Order(keys, np.full(len(keys), 0.02), np.full(len(keys), 0.5), np.ones(len(keys))),
            Order(
                (keys << np.uint64(16)) | follower,
                np.exp(-1.0 - (pairs % np.uint64(16)).astype(np.float64)),
                np.ones(len(keys)),
                np.ones(len(keys)),
            ),
        ]
    )
    words = tuple(f"{letter}{n:03}".encode() for letter in "a" for n in range(size - FIRST_WORD))
    write_language_model(tmp_path / "a.lm", built, Vocabulary(words), {})
    read = read_language_model(tmp_path / "a.lm")
    order = np.random.default_rng(1).permutation(size * size)
    # The states after each pair, by way of its first word.
    start = np.full(size * size, read.start, np.int32)
    _, after_one = read.score(start, first[order].astype(np.int32))
    # What comes after the sentence's beginning is a pair, too; a word alone is what follows none.
    scores, states = read.score(after_one, second[order].astype(np.int32))
    scores, _ = read.score(states, follower[order].astype(np.int32))
    np.testing.assert_allclose(scores, -1.0 - (pairs % np.uint64(16))[order], atol=1e-5)
    scores, _ = read.score(states, np.roll(follower[order], 1).astype(np.int32))
    other = np.roll(follower[order], 1) != follower[order]
    np.testing.assert_allclose(scores[other], np.log(0.5 * 0.02), atol=1e-5)
