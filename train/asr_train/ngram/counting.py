"""Counts of the n-grams of a text that need not fit into memory, with whole-array operations.

The n-grams are counted in parts, those whose first words are of some range of ids, so that a part's
sort is all that memory has to hold. The parts follow each other in the order of the keys: there is
nothing to merge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import BOUNDARY
from asr_train.ngram.vocabulary import Ids

MAX_COUNTED_ORDER = 4
"""Words of the longest n-grams whose ids fit a key; the runtime reads shorter ones."""

PART = 1 << 24
"""N-grams that are counted, or smoothed, at a time; 40 bytes of memory each."""

_WORD_BITS = np.uint64(16)

Keys = npt.NDArray[np.uint64]
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Counts:
    """The distinct n-grams of one order, sorted, and how often each occurs.

    Both arrays may lie in files.

    Attributes:
        keys: uint64 [ngrams], 16 bits per word, the first word highest.
        counts: uint32 [ngrams].
    """

    keys: Keys
    counts: npt.NDArray[np.uint32]


def count_ngrams(
    ids: Ids,
    order: int,
    folder: Path | None = None,
    progress: Progress | None = None,
    part: int = PART,
) -> Counts:
    """Count the n-grams of encoded sentences.

    Args:
        ids: uint16 [words], as ``Vocabulary.encode`` gives them; may lie in a file.
        order: words of an n-gram, 1 to MAX_COUNTED_ORDER. BOUNDARY occurs at either end of one,
            never inside.
        folder: where to put the counts; in memory without it.
        progress: called with the number of n-grams of each part.
        part: n-grams to sort at a time. More of them begin with one word if that is so frequent.
    """
    keys, counts = (
        _Column(folder, f"keys{order}", np.uint64),
        _Column(folder, f"counts{order}", np.uint32),
    )
    for first, last in _parts(ids, part):
        found, number = _distinct(_part_keys(ids, order, first, last, part))
        keys.append(found)
        counts.append(number)
        if progress is not None:
            progress(int(number.sum()))
    return Counts(keys.finish(), counts.finish())


def contexts(keys: Keys) -> Keys:
    """The n-grams without their last words [ngrams]."""
    return keys >> _WORD_BITS


def last_words(keys: Keys) -> npt.NDArray[np.int64]:
    """The last word of each n-gram [ngrams]."""
    return (keys & np.uint64(0xFFFF)).astype(np.int64)


def suffixes(keys: Keys, order: int) -> Keys:
    """The n-grams of ``order`` words without their first words [ngrams]."""
    return keys & np.uint64((1 << (16 * (order - 1))) - 1)


def first_words(keys: Keys, order: int) -> npt.NDArray[np.int64]:
    """The first word of each n-gram of ``order`` words [ngrams]."""
    return (keys >> np.uint64(16 * (order - 1))).astype(np.int64)


def slices(keys: Keys, size: int) -> Iterator[slice]:
    """Slices of sorted n-grams [ngrams], of about ``size`` each, that divide no context."""
    begin = 0
    while begin < len(keys):
        end = begin + size
        if end < len(keys):
            following = (keys[end] >> _WORD_BITS) << _WORD_BITS
            # Back to where the last context begins, or on to its end if it is all there is.
            end = begin + int(np.searchsorted(keys[begin:end], following))
            if end == begin:
                end += int(np.searchsorted(keys[begin:], following + np.uint64(1 << 16)))
        yield slice(begin, min(end, len(keys)))
        begin = end


def count_predecessors(shorter: Counts, longer: Counts, order: int) -> npt.NDArray[np.int64]:
    """How many distinct words precede each of some n-grams, int64 [ngrams].

    Args:
        shorter: the n-grams.
        longer: all n-grams of one word more.
        order: words of the shorter ones.
    """
    predecessors = np.zeros(len(shorter.keys), np.int64)
    for begin in range(0, len(longer.keys), PART):
        found, number = _distinct(suffixes(longer.keys[begin : begin + PART], order + 1))
        predecessors[np.searchsorted(shorter.keys, found)] += number
    return predecessors


def _distinct(keys: Keys) -> tuple[Keys, npt.NDArray[np.uint32]]:
    """Sorted keys and how often each occurs. The keys given are sorted in place."""
    keys.sort()
    begins = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    first = begins.nonzero()[0]
    return keys[first], np.diff(first, append=len(keys)).astype(np.uint32)


def _parts(ids: Ids, part: int) -> Iterator[tuple[int, int]]:
    """Ranges of first words, the last ones included, of at most `part` words of the text each."""
    frequency = np.zeros(1 << 16, np.int64)
    for begin in range(0, len(ids), part):
        frequency += np.bincount(ids[begin : begin + part], minlength=1 << 16)
    first, size = 0, 0
    for word, number in enumerate(frequency.tolist()):
        if size and size + number > part:
            yield first, word - 1
            first, size = word, 0
        size += number
    yield first, (1 << 16) - 1


def _part_keys(ids: Ids, order: int, first: int, last: int, part: int) -> Keys:
    """The n-grams, not sorted, whose first words are in a range of ids."""
    found = []
    number = len(ids) - order + 1
    for begin in range(0, number, part):
        piece = np.asarray(ids[begin : begin + part + order - 1])
        starts = piece[: min(part, number - begin)]
        place = ((starts >= first) & (starts <= last)).nonzero()[0]
        inside = np.ones(len(place), bool)
        keys = starts[place].astype(np.uint64)
        for position in range(1, order):
            word = piece[place + position]
            if position < order - 1:
                inside &= word != BOUNDARY
            keys <<= _WORD_BITS
            keys |= word
        found.append(keys[inside])
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


class _Column:
    """An array that grows, in memory or in a file."""

    def __init__(self, folder: Path | None, name: str, kind: type[np.generic]) -> None:
        self._path = folder / name if folder is not None else None
        self._file = self._path.open("wb") if self._path is not None else None
        self._parts: list[npt.NDArray[Any]] = [np.zeros(0, kind)]

    def append(self, values: npt.NDArray[Any]) -> None:
        if self._file is not None:
            values.tofile(self._file)
        else:
            self._parts.append(values)

    def finish(self) -> npt.NDArray[Any]:
        if self._file is None or self._path is None:
            return np.concatenate(self._parts)
        self._file.close()
        kind = self._parts[0].dtype
        if not self._path.stat().st_size:
            return np.zeros(0, kind)
        return np.memmap(self._path, kind, "r")
