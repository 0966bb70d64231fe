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
        gains: What each sequence is worth besides, in equal parts for each of its labels, float32
            [sequences].

    Returns:
        The tree.
    """
    # Labels that each sequence shares with the one before it, or more where both have ended.
    shared = np.zeros(len(labels), np.int16)
    same = np.ones(max(0, len(labels) - 1), bool)
    for level in range(labels.shape[1]):
        same &= labels[1:, level] == labels[:-1, level]
        shared[1:] += same

    parents: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]
    edges: list[npt.NDArray[Any]] = [np.zeros(0, labels.dtype)]
    bests: list[npt.NDArray[np.float32]] = [np.zeros(1, np.float32)]
    promised: list[npt.NDArray[np.float32]] = [np.zeros(1, np.float32)]
    sizes = [1]
    final = np.zeros(len(labels), np.int32)
    # Only those that are longer than the level are followed: at most levels they are few.
    longer = np.arange(len(labels), dtype=np.int32)
    node = final
    number = 1
    for level in range(labels.shape[1]):
        goes_on = lengths[longer] > level
        longer, node = longer[goes_on], node[goes_on]
        if not len(longer):
            break
        begins = shared[longer] <= level
        first = np.flatnonzero(begins)
        parents.append(node[first])
        edges.append(labels[longer[first], level])
        node = np.cumsum(begins, dtype=np.int32) + np.int32(number - 1)
        final[longer] = node
        best: npt.NDArray[np.float32] = np.maximum.reduceat(scores[longer], first)
        if gains is not None:
            without = best
            worth = scores[longer] + gains[longer] * ((level + 1) / lengths[longer])
            best = np.maximum.reduceat(worth, first).astype(np.float32)
            promised.append(best - without)
        bests.append(best)
        sizes.append(len(first))
        number += len(first)
    return Trie(
        np.concatenate(parents),
        np.concatenate(edges),
        np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        np.concatenate(bests),
        None if gains is None else np.concatenate(promised),
        final,
    )


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
        present[group[begins]] = np.bitwise_or.reduceat(own[labels], begins)
        first[group[begins]] = begins + 1
    shape = (nodes + 1, words)
    return TrieEdges(word, own, own - bits(1), present.reshape(shape), first.reshape(shape))
