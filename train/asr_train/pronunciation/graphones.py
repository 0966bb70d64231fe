"""Aligning spelling with sound: each letter of a word with the phonemes that it stands for.

A graphone is a letter with none, one or two phonemes (*x*: ``K S``; *k* in *knee*: none), as in
M. Bisani and H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
Communication 50 (2008). Their probabilities are learnt from unaligned words by expectation
maximisation over all alignments, and the best alignment of each word is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.language.phonemes import PHONEMES
from asr_train.errors import DataError

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
MOST_PHONEMES = 2

_NUMBER = len(PHONEMES)
#: Chunks of phonemes: none, one, two.
_CHUNKS = 1 + _NUMBER + _NUMBER**2
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Graphone:
    """A letter and the phonemes that it stands for."""

    letter: str
    phonemes: bytes


@dataclass(frozen=True)
class Alignments:
    """Words as sequences of graphones.

    Attributes:
        graphones: the inventory, sorted by letter and phonemes.
        sequences: of each aligned word, places in ``graphones``.
        dropped: words that the inventory cannot align, such as abbreviations.
    """

    graphones: list[Graphone]
    sequences: list[npt.NDArray[np.int64]]
    dropped: list[str]


@dataclass(frozen=True)
class _Group:
    """Words of as many letters: letters [words, letters], phonemes [words, most] (padded)."""

    index: npt.NDArray[np.int64]
    letters: npt.NDArray[np.int64]
    phonemes: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    def ids(self, place: int, size: int) -> npt.NDArray[np.int64]:
        """Ids of the graphones of one letter with ``size`` phonemes from each place on.

        Returns:
            int64 [words, places]; where fewer phonemes are left, an id that is never used.
        """
        start = self.letters[:, place, None] * _CHUNKS
        phonemes = self.phonemes
        if size == 0:
            return np.broadcast_to(start, (len(start), phonemes.shape[1] + 1))
        if size == 1:
            return start + 1 + phonemes
        return start + 1 + _NUMBER + phonemes[:, :-1] * _NUMBER + phonemes[:, 1:]


def align(pairs: Sequence[tuple[str, bytes]], most_graphones: int, rounds: int = 8) -> Alignments:
    """Learn graphones from words and pronunciations, and align these.

    Args:
        pairs: words in ``LETTERS``, each with one pronunciation.
        most_graphones: size of the inventory; rarer graphones, and what needs them, are dropped.
        rounds: of expectation maximisation before and after the rare ones are dropped.

    Raises:
        DataError: a word has other letters, or most words cannot be aligned.
    """
    for word, _ in pairs:
        if set(word) - set(LETTERS):
            raise DataError(f"the word {word!r} has letters other than a-z and '; leave it out")
    groups = list(_groups(pairs))
    if 2 * sum(len(group.index) for group in groups) < len(pairs):
        raise DataError("most words have over two phonemes a letter; is this a dictionary?")
    probability = np.ones(len(LETTERS) * _CHUNKS)
    probability /= probability.sum()
    for _ in range(rounds):
        probability = _reestimate(groups, probability)
    rare = np.argsort(probability)[:-most_graphones]
    probability[rare] = 0
    for _ in range(rounds):
        probability = _reestimate(groups, probability)
    paths = dict(path for group in groups for path in _best_paths(group, probability))
    # Some are in no word's best alignment.
    inventory = np.unique(np.concatenate(list(paths.values())))
    return Alignments(
        [Graphone(LETTERS[number // _CHUNKS], _chunk(number % _CHUNKS)) for number in inventory],
        [np.searchsorted(inventory, paths[index]) for index in sorted(paths)],
        [word for index, (word, _) in enumerate(pairs) if index not in paths],
    )


def _chunk(number: int) -> bytes:
    if number == 0:
        return b""
    number -= 1
    return bytes([number]) if number < _NUMBER else bytes(divmod(number - _NUMBER, _NUMBER))


def _groups(pairs: Sequence[tuple[str, bytes]]) -> Iterator[_Group]:
    by_length: dict[int, list[int]] = {}
    for index, (word, phonemes) in enumerate(pairs):
        if 0 < len(phonemes) <= MOST_PHONEMES * len(word):
            by_length.setdefault(len(word), []).append(index)
    for _, places in sorted(by_length.items()):
        letters = np.array([[LETTERS.index(letter) for letter in pairs[at][0]] for at in places])
        lengths = np.array([len(pairs[at][1]) for at in places])
        padded = np.zeros((len(places), lengths.max()), np.int64)
        for row, at in zip(padded, places, strict=True):
            row[: len(pairs[at][1])] = list(pairs[at][1])
        yield _Group(np.array(places), letters, padded, lengths)


def _forward(group: _Group, probability: _Floats) -> _Floats:
    """Sums over alignments of the first letters with the first phonemes.

    Returns:
        float64 [letters + 1, words, phonemes + 1].
    """
    words, letters = group.letters.shape
    width = group.phonemes.shape[1] + 1
    sums = np.zeros((letters + 1, words, width))
    sums[0, :, 0] = 1
    for place in range(letters):
        for size in range(min(MOST_PHONEMES, width - 1) + 1):
            gain = probability[group.ids(place, size)]
            sums[place + 1, :, size:] += sums[place, :, : width - size] * gain
    return sums


def _reestimate(groups: list[_Group], probability: _Floats) -> _Floats:
    """One round of expectation maximisation."""
    expected = np.zeros(len(probability))
    for group in groups:
        words, letters = group.letters.shape
        width = group.phonemes.shape[1] + 1
        forward = _forward(group, probability)
        total = forward[letters, np.arange(words), group.lengths]
        backward = np.zeros((words, width))
        with np.errstate(divide="ignore"):
            backward[np.arange(words), group.lengths] = np.where(total > 0, 1 / total, 0)
        for place in range(letters - 1, -1, -1):
            before = np.zeros((words, width))
            for size in range(min(MOST_PHONEMES, width - 1) + 1):
                ids = group.ids(place, size)
                step = probability[ids] * backward[:, size:]
                before[:, : width - size] += step
                step *= forward[place, :, : width - size]
                expected += np.bincount(ids.ravel(), step.ravel(), len(expected))
            backward = before
    normalised: _Floats = expected / expected.sum()
    return normalised


def _best_paths(group: _Group, probability: _Floats) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Index and graphone ids of each word that can be aligned."""
    words, letters = group.letters.shape
    width = group.phonemes.shape[1] + 1
    best = np.zeros((words, width))
    best[:, 0] = 1
    sizes = np.zeros((letters, words, width), np.int8)
    for place in range(letters):
        after = np.zeros((words, width))
        for size in range(min(MOST_PHONEMES, width - 1) + 1):
            found = best[:, : width - size] * probability[group.ids(place, size)]
            better = found > after[:, size:]
            after[:, size:][better] = found[better]
            sizes[place, :, size:][better] = size
        best = after
    rows = np.arange(words)
    at = group.lengths.copy()
    possible = best[rows, at] > 0
    paths = np.zeros((words, letters), np.int64)
    for place in range(letters - 1, -1, -1):
        size = sizes[place, rows, at].astype(np.int64)
        at -= size
        for number in range(MOST_PHONEMES + 1):
            chosen = possible & (size == number)
            if chosen.any():
                start = np.minimum(at, width - 1 - number)
                paths[chosen, place] = group.ids(place, number)[rows, start][chosen]
    for row in np.flatnonzero(possible):
        yield int(group.index[row]), paths[row]
