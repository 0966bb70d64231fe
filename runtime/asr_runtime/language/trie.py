"""Sequences of labels, letters or phonemes, as a tree in which common beginnings are one path.

`grow_trie` makes the tree; `link_edges` packs its edges into 8 to 12 bytes a node. A table of nodes
times classes would be quicker to look up, and is ten times as large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.bit_vector import popcount


@dataclass(frozen=True)
class Trie:
    """Nodes are numbered level by level from the root, 0; node i > 0 has edge i - 1 to its parent.

    Attributes:
        parents: Parent of each edge, in the order of the nodes they lead to, int32 [nodes - 1].
        labels: Label of each edge, integers [nodes - 1].
        depth: Labels from the root, int32 [nodes].
        best: Highest score of the sequences at or below each node; of the root 0. float32 [nodes].
        promised: How much of it is gains, float32 [nodes]; None if there are none.
        final: Node that each sequence ends at, int32 [sequences].
    """

    parents: npt.NDArray[np.int32]
    labels: npt.NDArray[Any]
    depth: npt.NDArray[np.int32]
    best: npt.NDArray[np.float32]
    promised: npt.NDArray[np.float32] | None
    final: npt.NDArray[np.int32]

    @property
    def nodes(self) -> int:
        """Number of nodes, the root among them."""
        return len(self.depth)


def grow_trie(
    labels: npt.NDArray[Any],
    lengths: npt.NDArray[Any],
    scores: npt.NDArray[np.float32],
    gains: npt.NDArray[np.float32] | None = None,
) -> Trie:
    """Build the tree of some sequences.

    Args:
        labels: Labels of each sequence, integers [sequences, longest], sorted so that those with a
            common beginning follow each other; the same value, whichever, beyond the end of each.
        lengths: Labels of each sequence, 1 or more, integers [sequences].
        scores: Score of each sequence, float32 [sequences].
        gains: What each sequence is worth besides, 0 or more, in equal parts for each of its
            labels, float32 [sequences].

    Returns:
        The tree.
    """
    # Labels that each sequence shares with the one before it.
    shared = np.zeros(len(labels), np.int32)
    same = np.ones(max(0, len(labels) - 1), bool)
    for level in range(labels.shape[1]):
        same &= labels[1:, level] == labels[:-1, level]
        if not same.any():
            break
        shared[1:] += same
    lengths = lengths.astype(np.int32)
    np.minimum(shared, lengths, out=shared)

    # The nodes that each sequence adds, one sequence after the other: every node comes before those
    # below it, and a node that is one level deeper than the one before it is its first child.
    added = lengths - shared
    last = np.cumsum(added, dtype=np.int32)
    sequence = np.repeat(np.arange(len(labels), dtype=np.int32), added)
    level_of = np.arange(len(sequence), dtype=np.int32) - np.repeat(last - lengths, added)
    is_first = np.ones(len(sequence), bool)
    is_first[1:] = level_of[1:] > level_of[:-1]

    # Then in the order of their numbers, in which those of one parent follow each other.
    by_level = np.argsort(level_of.astype(np.uint16), kind="stable")
    number = np.empty(len(sequence), np.int32)
    number[by_level] = np.arange(1, len(sequence) + 1, dtype=np.int32)
    has_children = np.append(is_first[1:], False)[by_level]
    is_first = is_first[by_level]
    inner = np.append(0, np.flatnonzero(has_children) + 1).astype(np.int32)
    parents = inner[np.cumsum(is_first, dtype=np.int32) - 1]
    final = number[last - 1]
    sizes = np.bincount(level_of, minlength=1)

    best = np.full(len(sequence) + 1, -np.inf, np.float32)
    if len(labels):
        first_of_equal = np.flatnonzero(added)
        best[final[first_of_equal]] = np.maximum.reduceat(scores, first_of_equal)
    # From the last level up to the first one's children: the root's score is 0.
    begins = np.append(0, np.cumsum(sizes)) + 1
    for begin, end in zip(begins[-2:0:-1].tolist(), begins[:1:-1].tolist(), strict=True):
        first = np.flatnonzero(is_first[begin - 1 : end - 1])
        parent = parents[begin - 1 + first]
        best[parent] = np.maximum(best[parent], np.maximum.reduceat(best[begin:end], first))
    best[0] = 0.0
    depth = np.repeat(np.arange(len(sizes) + 1, dtype=np.int32), np.append(1, sizes))
    promised = None
    if gains is not None:
        promised = _promise(parents, depth, final, lengths, scores, gains, best)
    return Trie(parents, labels[sequence, level_of][by_level], depth, best, promised, final)


def _promise(
    parents: npt.NDArray[np.int32],
    depth: npt.NDArray[np.int32],
    final: npt.NDArray[np.int32],
    lengths: npt.NDArray[np.int32],
    scores: npt.NDArray[np.float32],
    gains: npt.NDArray[np.float32],
    best: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Add to the best scores what sequences gain up to each node, and return it."""
    without = best.copy()
    gaining = np.flatnonzero(gains)
    node = final[gaining]
    while len(gaining):
        part = depth[node] / lengths[gaining]
        worth = scores[gaining] + gains[gaining] * part
        np.maximum.at(best, node, worth.astype(np.float32))
        node = parents[node - 1]
        below = node > 0
        node, gaining = node[below], gaining[below]
    promised: npt.NDArray[np.float32] = best - without
    return promised


@dataclass(frozen=True)
class TrieEdges:
    """The edges of a tree, for its nodes and `outside`, where all that is no edge leads.

    The children of a node have consecutive numbers, and a bit for each class tells which of them
    exist: a child's number is the first one's and the number of bits before its own.

    Attributes:
        word: Word of bits that each class's own is in, int64 [classes].
        own: That bit, uint32 or uint64 [classes].
        below: The bits before it, uint32 or uint64 [classes].
        present: Bits of the classes that go on, 32 or 64 a word [nodes + 1, words].
        first: Child of the first bit of each word, int32 [nodes + 1, words].
    """

    word: npt.NDArray[np.int64]
    own: npt.NDArray[Any]
    below: npt.NDArray[Any]
    present: npt.NDArray[Any]
    first: npt.NDArray[np.int32]

    @property
    def outside(self) -> int:
        """Node of every sequence of labels that is not in the tree; it leads to itself."""
        return len(self.present) - 1

    def after(
        self, nodes: npt.NDArray[Any], labels: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """Follow labels from nodes.

        Args:
            nodes: Integers [nodes].
            labels: Classes, int64 [labels].

        Returns:
            Node after each node and label, int32 [nodes, labels].
        """
        present, first = self.present.take(nodes, axis=0), self.first.take(nodes, axis=0)
        if present.shape[1] > 1:
            word = self.word[labels]
            present, first = present[:, word], first[:, word]
        child: npt.NDArray[np.int32] = first + popcount(present & self.below.take(labels))
        child[(present & self.own.take(labels)) == 0] = self.outside
        return child


def link_edges(
    parents: npt.NDArray[np.int32],
    labels: npt.NDArray[Any],
    nodes: int,
    place: npt.NDArray[np.int64],
) -> TrieEdges:
    """Pack edges to the nodes 1, 2, …, in this order.

    Args:
        parents: Parent of each edge, int32 [edges]; those of one parent follow each other.
        labels: Class of each edge, integers [edges]; in the order of `place` below one parent.
        nodes: Number of nodes, the root among them.
        place: A number below that of classes for each class, int64 [classes].

    Returns:
        The packed edges.
    """
    # One word for the phonemes, which are more than 32.
    bits: Any = np.uint64 if 32 < len(place) <= 64 else np.uint32
    size = np.iinfo(bits).bits
    words = -(-len(place) // size)
    word, bit = np.divmod(place, size)
    own = bits(1) << bit.astype(bits)
    # Edges of one parent and word of bits follow each other; their order is that of the children.
    group = parents if words == 1 else parents * words + word[labels]
    begins = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
    present = np.zeros((nodes + 1) * words, bits)
    first = np.zeros((nodes + 1) * words, np.int32)
    if len(begins):
        # Each bit is there once, so that sums are the bits together; that they overflow is no harm.
        sums = np.cumsum(own[labels], dtype=bits)
        ends = sums[np.append(begins[1:], len(labels)) - 1]
        present[group[begins]] = ends - np.append(bits(0), ends[:-1])
        first[group[begins]] = begins + 1
    shape = (nodes + 1, words)
    return TrieEdges(word, own, own - bits(1), present.reshape(shape), first.reshape(shape))
