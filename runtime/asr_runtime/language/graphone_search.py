"""The best pronunciations of words by n-grams of graphones: letters joined with their phonemes.

M. Bisani and H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
Communication 50 (2008). The search goes letter by letter through all words at once. What begins
words alike is searched once, and so is what many hypotheses ask of the model at the same letter:
ten thousand names take half a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.trie import Trie

BOUNDARY = 0
"""Symbol before and after a word; graphone i has symbol i + 1."""
SYMBOL_BITS = 8

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class GraphoneTrie:
    """N-grams as nodes: 0 is the empty one, then those of one symbol, of two, and so on.

    Attributes:
        keys: Number of each node's context, then SYMBOL_BITS of its last symbol; sorted, uint32
            [nodes - 1].
        score: Natural-log probability of each node's last symbol after its context, float32
            [nodes].
        backoff: Natural-log weight of the shorter context, float32 [nodes].
        suffix: Each node's n-gram without its first symbol, int32 [nodes].
    """

    keys: npt.NDArray[np.uint32]
    score: Floats
    backoff: Floats
    suffix: Ints

    def find(self, contexts: Ints, symbols: Ints) -> Ints:
        """Return the node of each context and symbol, or 0 where there is none, int32 [queries].

        Args:
            contexts: Nodes, int32 [queries].
            symbols: int32 [queries].
        """
        keys = (contexts.astype(np.uint32) << np.uint32(SYMBOL_BITS)) | symbols.astype(np.uint32)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, place + 1, 0).astype(np.int32)

    @cached_property
    def _short(self) -> tuple[int, Ints, Floats]:
        """What follows the contexts of at most one symbol, as tables.

        Returns:
            How many such contexts there are, and for each and each symbol the node that follows,
            of the context and the symbol or of the symbol alone, int32 [contexts, symbols], and the
            back-off weight in between, float32 [contexts, symbols].
        """
        symbols = int(np.searchsorted(self.keys, np.uint32(1 << SYMBOL_BITS)))
        contexts = symbols + 1
        number = int(np.searchsorted(self.keys, np.uint32(contexts << SYMBOL_BITS)))
        keys = self.keys[:number].astype(np.int64)
        following = np.zeros((contexts, 1 << SYMBOL_BITS), np.int32)
        following.ravel()[keys] = np.arange(1, number + 1)
        missing = following == 0
        weights = np.where(missing, self.backoff[:contexts, None], np.float32(0))
        weights[0] = 0
        following[missing] = np.broadcast_to(following[0], following.shape)[missing]
        return contexts, following, weights

    def extend(self, contexts: Ints, symbols: Ints) -> tuple[Floats, Ints]:
        """Score each of some symbols after each of some contexts.

        Args:
            contexts: Nodes, int32 [contexts].
            symbols: In order, int32 [symbols].

        Returns:
            Natural-log probabilities, float32 [contexts, symbols], and the contexts that follow,
            int32 [contexts, symbols].
        """
        short, following, weights = self._short
        first, last = int(symbols[0]), int(symbols[-1])
        column = np.full(last - first + 1, -1, np.int64)
        column[symbols - first] = np.arange(len(symbols))
        score = np.zeros((len(contexts), len(symbols)), np.float32)
        node = np.zeros(score.shape, np.int32)
        # The weights of the contexts that had no such symbol, and the context that is asked next.
        weight = np.zeros(len(contexts), np.float32)
        context = contexts.copy()
        left = np.flatnonzero(context >= short)
        while len(left):
            asked = context[left]
            keys = asked.astype(np.uint32) << np.uint32(SYMBOL_BITS)
            begin = np.searchsorted(self.keys, keys | np.uint32(first))
            number = np.searchsorted(self.keys, keys + np.uint32(last + 1)) - begin
            row = np.repeat(left, number)
            found = np.arange(len(row)) + np.repeat(begin - (number.cumsum() - number), number)
            place = column[(self.keys[found] & np.uint32((1 << SYMBOL_BITS) - 1)) - first]
            new = (place >= 0) & (node[row, place] == 0)
            row, place, found = row[new], place[new], found[new] + 1
            node[row, place] = found
            score[row, place] = weight[row] + self.score[found]
            weight[left] += self.backoff[asked]
            context[left] = self.suffix[asked]
            left = left[context[left] >= short]
        other = following[:, symbols]
        likely, other = self.score[other][context], other[context]
        backed_off = (weight[:, None] + weights[:, symbols][context]) + likely
        missing = node == 0
        np.copyto(score, backed_off, where=missing)
        np.copyto(node, other, where=missing)
        return score, node


def search(
    trie: GraphoneTrie,
    candidates: Sequence[npt.NDArray[np.int32]],
    words: Trie,
    beam: int,
) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """Find the most probable sequences of graphones of some words.

    Args:
        trie: N-grams of graphones.
        candidates: Symbols of the graphones of each letter, in order, int32 [symbols].
        words: The words as a tree of letters, which are indexes of `candidates`.
        beam: Sequences that are kept of each beginning of a word.

    Returns:
        Natural-log probabilities, float32 [words, beam], -inf where there are fewer, the best
        first, and symbols, uint8 [words, beam, longest word], BOUNDARY beyond a word's end.
    """
    bounds = np.searchsorted(words.depth, np.arange(int(words.depth[-1]) + 2))
    levels = [_Level.first(trie)]
    choices = max(len(symbols) for symbols in candidates)
    ended = np.full((len(words.final), beam), -np.inf, np.float32)
    for begin, end, previous in zip(bounds[1:], bounds[2:], bounds, strict=False):
        parents = words.parents[begin - 1 : end - 1] - previous
        level = _Level.empty(end - begin, min(beam, levels[-1].score.shape[1] * choices))
        level.grow(levels[-1], trie, candidates, parents, words.labels[begin - 1 : end - 1])
        levels[-1] = levels[-1].passed()
        levels.append(level)
        complete = np.flatnonzero((words.final >= begin) & (words.final < end))
        found = level.finished(trie, words.final[complete] - begin)
        ended[complete, : found.shape[1]] = found
    order = np.argsort(-ended, axis=1, kind="stable")
    scores = np.take_along_axis(ended, order, axis=1)
    return scores, _symbols(levels, words, bounds, order)


@dataclass(frozen=True)
class _Level:
    """Hypotheses of the words' beginnings of one length [beginnings, beam].

    Attributes:
        score: Natural-log probabilities, float32; -inf where there is none.
        node: Contexts, int32.
        before: Hypothesis of the shorter beginning that each goes on from, uint8.
        symbol: Last symbol of each, uint8.
    """

    score: Floats
    node: Ints
    before: npt.NDArray[np.uint8]
    symbol: npt.NDArray[np.uint8]

    @classmethod
    def first(cls, trie: GraphoneTrie) -> _Level:
        """Return the level of no letters."""
        level = cls.empty(1, 1)
        level.score[:] = 0
        level.node[0] = trie.find(np.zeros(1, np.int32), np.full(1, BOUNDARY, np.int32))
        return level

    @classmethod
    def empty(cls, beginnings: int, beam: int) -> _Level:
        """Return a level of no hypotheses [beginnings, beam]."""
        shape = (beginnings, beam)
        score = np.full(shape, -np.inf, np.float32)
        return cls(
            score, np.zeros(shape, np.int32), np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        )

    def grow(
        self,
        shorter: _Level,
        trie: GraphoneTrie,
        candidates: Sequence[npt.NDArray[np.int32]],
        parents: npt.NDArray[np.int64],
        letters: npt.NDArray[np.int64],
    ) -> None:
        """Fill the level of one letter more.

        Args:
            shorter: The level before.
            trie: N-grams of graphones.
            candidates: Symbols of each letter.
            parents: The shorter beginning that each goes on from, int64 [beginnings].
            letters: The last letter of each, int64 [beginnings].
        """
        choices = max(len(symbols) for symbols in candidates)
        columns = np.arange(self.score.shape[1])
        for letter in _distinct(letters)[0].tolist():
            rows = np.flatnonzero(letters == letter)
            symbols = candidates[letter]
            node = shorter.node[parents[rows]]
            asked, place = _distinct(node)
            gain, following = trie.extend(asked, symbols)
            grown = np.full((*node.shape, choices), -np.inf, np.float32)
            grown[:, :, : len(symbols)] = shorter.score[parents[rows], :, None] + gain[place]
            flat = grown.reshape(len(rows), -1)
            best = np.argpartition(-flat, len(columns) - 1, axis=1)[:, : len(columns)]
            hypothesis, choice = np.divmod(best, choices)
            choice = np.minimum(choice, len(symbols) - 1)  # of what is -inf, any will do
            kept = rows[:, None], columns
            self.score[kept] = np.take_along_axis(flat, best, axis=1)
            self.node[kept] = following[np.take_along_axis(place, hypothesis, axis=1), choice]
            self.before[kept] = hypothesis
            self.symbol[kept] = symbols[choice]

    def passed(self) -> _Level:
        """Return what the way back needs."""
        return _Level(self.score[:0], self.node[:0], self.before, self.symbol)

    def finished(self, trie: GraphoneTrie, rows: npt.NDArray[np.int64]) -> Floats:
        """Return the scores of words that end here, float32 [rows, beam]."""
        asked, place = _distinct(self.node[rows])
        gain, _ = trie.extend(asked, np.array([BOUNDARY], np.int32))
        scores: Floats = self.score[rows] + gain[place, 0]
        return scores


def _distinct(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return different values in order, and the place of each value among them [same shape].

    It is `numpy.unique` without its import of masked arrays.
    """
    flat = values.ravel()
    order = np.argsort(flat)
    ranked = flat[order]
    new = np.ones(len(flat), bool)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    place = np.empty(len(flat), np.int64)
    place[order] = new.cumsum() - 1
    return ranked[new], place.reshape(values.shape)


def _symbols(
    levels: Sequence[_Level],
    words: Trie,
    bounds: npt.NDArray[Any],
    order: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint8]:
    """Go back from the ends of words, and return their symbols, uint8 [words, beam, longest]."""
    symbols = np.zeros((*order.shape, len(levels) - 1), np.uint8)
    node, hypothesis = words.final.copy(), order.copy()
    for depth in range(len(levels) - 1, 0, -1):
        rows = np.flatnonzero(node >= bounds[depth])
        width = levels[depth].symbol.shape[1]
        place = (node[rows] - bounds[depth])[:, None], np.minimum(hypothesis[rows], width - 1)
        symbols[rows, :, depth - 1] = levels[depth].symbol[place]
        hypothesis[rows] = levels[depth].before[place]
        node[rows] = words.parents[node[rows] - 1]
    return symbols
