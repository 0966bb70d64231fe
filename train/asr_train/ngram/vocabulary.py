"""The words that a language model knows, and their ids."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import BOUNDARY, FIRST_WORD, UNKNOWN
from asr_train.errors import DataError

MAX_WORDS = 65_534
"""Words besides the two special ones, so that an id takes 16 bits."""

SENTENCE_END = b"</s>"
"""Stands for a newline among the words of a text; no word, for it has other characters."""

Ids = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Vocabulary:
    """Words in alphabetical order; the id of ``words[i]`` is ``i + FIRST_WORD``.

    Attributes:
        words: Words that n-grams know.
        rare: Further words, which are the unknown word to n-grams, and the natural logarithm of
            each one's share of that one's probability.
    """

    words: tuple[bytes, ...]
    rare: Mapping[bytes, float] = field(default_factory=dict)

    @property
    def spelled(self) -> list[bytes]:
        """All words, the rare ones included, in alphabetical order."""
        return sorted([*self.words, *self.rare])

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.words) + FIRST_WORD

    def encode(self, blocks: Iterable[bytes]) -> Ids:
        """Ids of a corpus [words], sentence after sentence, BOUNDARY before and after each."""
        id_of = {word: index for index, word in enumerate(self.words, start=FIRST_WORD)}
        id_of[SENTENCE_END] = BOUNDARY
        get = id_of.get
        parts = [np.array([BOUNDARY], np.uint16)]
        for block in blocks:
            tokens = split_words(block)
            ids = np.fromiter((get(token, UNKNOWN) for token in tokens), np.uint16, len(tokens))
            parts.append(ids)
        return without_empty_sentences(np.concatenate(parts))


def split_words(block: bytes) -> list[bytes]:
    """The words of whole lines, SENTENCE_END after those of each line."""
    return block.replace(b"\n", b" " + SENTENCE_END + b" ").split()


def without_empty_sentences(ids: Ids) -> Ids:
    """Ids [words] without a BOUNDARY that follows another; the first one stays."""
    keep = np.ones(len(ids), bool)
    keep[1:] = (ids[1:] != BOUNDARY) | (ids[:-1] != BOUNDARY)
    return ids[keep]


def choose_vocabulary(
    frequencies: Mapping[bytes, int],
    size: int,
    minimum_count: int = 1,
    exclude: Collection[bytes] = (),
    rare: int = 0,
    total: int | None = None,
) -> Vocabulary:
    """The `size` most frequent words that occur `minimum_count` times or more.

    The words that follow them can be rare ones: one word in thirty of everyday text is outside a
    vocabulary of 65,000, and n-grams of such words would hardly ever be used.

    Words of equal frequency are taken in an order that does not depend on the corpus's and favours
    no letter, or the rarest words would all begin with ``a``.

    Args:
        frequencies: how often each word occurs.
        size: number of words at most.
        minimum_count: words that occur less often are left out.
        exclude: words that are left out. Those without a letter are, too.
        rare: number of rare words at most.
        total: words of the text; None if `frequencies` has all of them.

    Raises:
        DataError: a size that no file can hold, or no words.
    """
    if not 1 <= size <= MAX_WORDS:
        raise DataError(f"a vocabulary has 1 to {MAX_WORDS:,} words, not {size:,}")
    ranked = sorted(
        (
            word
            for word, count in frequencies.items()
            if count >= minimum_count and word.strip(b"'") and word not in exclude
        ),
        key=lambda word: (-frequencies[word], hashlib.sha256(word).digest()),
    )
    if not ranked:
        raise DataError(f"no word occurs {minimum_count} times; give more text")
    words = tuple(sorted(ranked[:size]))
    total = sum(frequencies.values()) if total is None else total
    outside = total - sum(frequencies[word] for word in words)
    return Vocabulary(
        words,
        {word: math.log(frequencies[word] / outside) for word in ranked[size : size + rare]},
    )
