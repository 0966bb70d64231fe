"""The pronunciations of a whole vocabulary in some 6 bytes a word.

Two arrays of a language model file hold them, in the order of the words:

- ``phonemes`` uint16: the phonemes of all pronunciations, END after each, three symbols of 40 in a
  number (the first one times 1600, the second one times 40, the third); END fills the last number.
- ``pronunciations`` bits: for each word a 0 for every pronunciation that it has, and a 1.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.phonemes import MAX_PHONEMES, PHONEMES

END = len(PHONEMES)
SYMBOLS = END + 1
SYMBOLS_A_NUMBER = 3

PHONEMES_ARRAY = "phonemes"
COUNTS_ARRAY = "pronunciations"

MAX_VARIANTS = 4
"""Pronunciations of one word."""


@dataclass(frozen=True)
class Pronunciations:
    """Pronunciations, those of a word in a row, its usual one first.

    Attributes:
        word: Number of the word that each belongs to, from 0, in order, int32 [pronunciations].
        offsets: Where the phonemes of each begin, and the end of the last, int32 [pronunciations +
            1].
        phonemes: Ids of the phonemes of all, uint8 [phonemes].
    """

    word: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int32]
    phonemes: npt.NDArray[np.uint8]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], words: int) -> Pronunciations:
        """Unpack the arrays of a vocabulary.

        Args:
            arrays: Arrays of the file by name: uint16 [numbers] of phonemes, uint8 of counts.
            words: Number of words.

        Returns:
            The pronunciations.

        Raises:
            ValueError: The arrays do not fit together.
            KeyError: An array is missing.
        """
        packed, counts = arrays[PHONEMES_ARRAY], arrays[COUNTS_ARRAY]
        if packed.dtype != np.uint16 or counts.dtype != np.uint8:
            raise ValueError("the pronunciations are of a wrong type")
        if packed.max(initial=0) >= SYMBOLS**SYMBOLS_A_NUMBER:
            raise ValueError("a number stands for no phonemes")
        flat = _unpack_symbols(packed)
        ends = np.flatnonzero(flat == END)
        numbers = _unpack_numbers(counts, words)
        number = int(numbers.sum())
        offsets = np.zeros(number + 1, np.int32)
        if not number <= len(ends) < number + SYMBOLS_A_NUMBER:
            raise ValueError("pronunciations are missing")
        # Nothing but filling is after the last one.
        filling = len(ends) - number
        if len(flat) and (not number or ends[number - 1] != len(flat) - 1 - filling):
            raise ValueError("a pronunciation has no end")
        offsets[1:] = ends[:number] - np.arange(number)
        lengths = np.diff(offsets)
        if lengths.min(initial=1) < 1 or lengths.max(initial=1) > MAX_PHONEMES:
            raise ValueError("a pronunciation is empty or too long")
        word = np.repeat(np.arange(words, dtype=np.int32), numbers)
        return cls(word, offsets, flat[flat != END])

    def of(self, word: int) -> tuple[bytes, ...]:
        """Return the pronunciations of one word as phoneme ids, the usual one first."""
        first, last = np.searchsorted(self.word, [word, word + 1])
        return tuple(
            self.phonemes[self.offsets[index] : self.offsets[index + 1]].tobytes()
            for index in range(first, last)
        )


def _unpack_symbols(packed: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Return the three symbols of each number, uint8 [3 * numbers]."""
    symbols = np.empty((len(packed), SYMBOLS_A_NUMBER), np.uint8)
    rest, symbols[:, 2] = np.divmod(packed, np.uint16(SYMBOLS))
    symbols[:, 0], symbols[:, 1] = np.divmod(rest, np.uint16(SYMBOLS))
    return symbols.reshape(-1)


def _unpack_numbers(counts: npt.NDArray[np.uint8], words: int) -> npt.NDArray[np.int64]:
    """Return how many pronunciations each word has, int64 [words]."""
    bits = np.unpackbits(counts, bitorder="little")
    stops = np.flatnonzero(bits)
    used = stops[-1] + 1 if len(stops) else 0
    if len(stops) != words or len(bits) - used >= 8:
        raise ValueError("words and their pronunciations differ in number")
    numbers: npt.NDArray[np.int64] = np.diff(stops, prepend=-1) - 1
    if numbers.max(initial=0) > MAX_VARIANTS:
        raise ValueError("a word has too many pronunciations")
    return numbers


def add_pronunciations(
    pronunciations: Pronunciations,
    known: Sequence[str],
    words: Sequence[str],
    added: Mapping[str, Sequence[bytes]],
) -> Pronunciations:
    """Return the pronunciations of a larger vocabulary.

    Args:
        pronunciations: How the words of `known` are spoken.
        known: Words, sorted.
        words: These and those of `added`, sorted; the result has their numbers.
        added: Pronunciations of new words, or further ones of known words.

    Returns:
        The pronunciations of all words.
    """
    if not added:
        return pronunciations
    new = [bisect_left(known, word) for word in sorted(set(words).difference(known))]
    old = pronunciations.word + np.searchsorted(new, pronunciations.word, side="right")
    # The old ones come first, so that a word's usual pronunciation stays the first one.
    further = [
        (bisect_left(words, word), spoken)
        for word, variants in added.items()
        for usual in (spoken_as(pronunciations, known, word),)
        for spoken in variants
        if spoken not in usual
    ]
    word = np.concatenate((old, [number for number, _ in further])).astype(np.int32)
    lengths = np.concatenate(
        (np.diff(pronunciations.offsets), [len(spoken) for _, spoken in further])
    ).astype(np.int64)
    phonemes = np.frombuffer(
        pronunciations.phonemes.tobytes() + b"".join(spoken for _, spoken in further), np.uint8
    )
    order = np.argsort(word, kind="stable")
    begin = (lengths.cumsum() - lengths)[order]
    lengths = lengths[order]
    offsets = np.zeros(len(word) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    place = np.arange(len(phonemes)) + np.repeat(begin - offsets[:-1], lengths)
    return Pronunciations(word[order], offsets, phonemes[place])


def spoken_as(pronunciations: Pronunciations, known: Sequence[str], word: str) -> tuple[bytes, ...]:
    """Return the pronunciations of a word.

    Args:
        pronunciations: How the words of `known` are spoken.
        known: Words, sorted.
        word: Any word.

    Returns:
        Phoneme ids of each, or nothing if the word is not known.
    """
    place = bisect_left(known, word)
    if place == len(known) or known[place] != word:
        return ()
    return pronunciations.of(place)
