"""Vocabulary and n-gram counts of a corpus, with whole-array operations."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_train.errors import DataError

UNKNOWN = 0
"""Word id of every word outside the vocabulary."""

BOUNDARY = 1
"""Word id of a sentence's start where it is context, and of its end where it is predicted."""

FIRST_WORD = 2
MAX_WORDS = 65_534
"""Words besides the two special ones, so that an id takes 16 bits."""

MAX_ORDER = 4

Keys = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Vocabulary:
    """Words in alphabetical order; the id of ``words[i]`` is ``i + FIRST_WORD``."""

    words: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.words) + FIRST_WORD

    def encode(self, blocks: Iterable[bytes]) -> Ids:
        """Ids of a corpus, sentence after sentence, BOUNDARY before and after each."""
        id_of = {word: index for index, word in enumerate(self.words, start=FIRST_WORD)}
        id_of[b"</s>"] = BOUNDARY
        get = id_of.get
        parts = [np.array([BOUNDARY], np.uint16)]
        for block in blocks:
            tokens = block.replace(b"\n", b" </s> ").split()
            ids = np.fromiter((get(token, UNKNOWN) for token in tokens), np.uint16, len(tokens))
            parts.append(ids)
        ids = np.concatenate(parts)
        # Empty lines are no sentences.
        keep = np.ones(len(ids), bool)
        keep[1:] = (ids[1:] != BOUNDARY) | (ids[:-1] != BOUNDARY)
        return ids[keep]


@dataclass(frozen=True)
class Counts:
    """The distinct n-grams of one order, sorted, and how often each occurs.

    keys: 16 bits a word, the first word highest.
    """

    keys: Keys
    counts: npt.NDArray[np.int64]


def choose_vocabulary(frequencies: Counter[bytes], size: int, minimum_count: int = 1) -> Vocabulary:
    """The `size` most frequent words that occur `minimum_count` times or more.

    Words of equal frequency are taken in an order that does not depend on the corpus's and favours
    no letter, or the rarest words would all begin with ``a``.
    """
    if not 1 <= size <= MAX_WORDS:
        raise DataError(f"a vocabulary has 1 to {MAX_WORDS:,} words, not {size:,}")
    ranked = sorted(
        (word for word, count in frequencies.items() if count >= minimum_count),
        key=lambda word: (-frequencies[word], hashlib.sha256(word).digest()),
    )
    if not ranked:
        raise DataError(f"no word occurs {minimum_count} times; give more text")
    return Vocabulary(tuple(sorted(ranked[:size])))


def count_ngrams(ids: Ids, order: int) -> Counts:
    """Count the n-grams of encoded sentences.

    ids: as `Vocabulary.encode` gives them [words].
    order: words of an n-gram, 1 to MAX_ORDER. BOUNDARY occurs at either end of one, never inside.
    """
    number = len(ids) - order + 1
    if number <= 0:
        return Counts(np.zeros(0, np.uint64), np.zeros(0, np.int64))
    keys = np.zeros(number, np.uint64)
    for position in range(order):
        keys = (keys << np.uint64(16)) | ids[position : position + number]
    keep = np.ones(number, bool)
    for position in range(1, order - 1):
        keep &= ids[position : position + number] != BOUNDARY
    found, counts = np.unique(keys[keep], return_counts=True)
    return Counts(found, counts.astype(np.int64))


def contexts(keys: Keys) -> Keys:
    """The n-grams without their last words."""
    return keys >> np.uint64(16)


def last_words(keys: Keys) -> npt.NDArray[np.int64]:
    """The last word of each n-gram."""
    return (keys & np.uint64(0xFFFF)).astype(np.int64)


def suffixes(keys: Keys, order: int) -> Keys:
    """The n-grams of `order` words without their first words."""
    return keys & np.uint64((1 << (16 * (order - 1))) - 1)


def first_words(keys: Keys, order: int) -> npt.NDArray[np.int64]:
    """The first word of each n-gram of `order` words."""
    return (keys >> np.uint64(16 * (order - 1))).astype(np.int64)
