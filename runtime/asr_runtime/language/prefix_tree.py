"""Sequences of labels, letters or phonemes, as a tree in which common beginnings are one path."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class PrefixTree:
    """Nodes are numbered level by level from the root, 0; node i > 0 has edge i - 1 to its parent.

    parents, labels: of each edge, in the order of the nodes they lead to [nodes - 1].
    depth: labels from the root [nodes].
    best: highest score of the sequences at or below each node; of the root 0 [nodes].
    final: the node that each sequence ends at [sequences].
    """

    parents: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    depth: npt.NDArray[np.int32]
    best: npt.NDArray[np.float32]
    final: npt.NDArray[np.int64]

    @property
    def nodes(self) -> int:
        """How many there are, the root among them."""
        return len(self.depth)


def grow_prefix_tree(
    labels: npt.NDArray[Any],
    lengths: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float32],
    gains: npt.NDArray[np.float32] | None = None,
) -> PrefixTree:
    """The tree of some sequences.

    labels: [sequences, longest], sorted so that those with a common beginning follow each other;
        the same value, whichever, beyond the end of each.
    lengths: of each sequence, 1 or more [sequences].
    scores: of each sequence [sequences].
    gains: what each sequence is worth besides, in equal parts for each of its labels [sequences].
    """
    # Labels that each sequence shares with the one before it.
    same = np.zeros(labels.shape, bool)
    same[1:] = labels[1:] == labels[:-1]
    shared = np.cumprod(same, axis=1, dtype=np.uint8).sum(axis=1)
    # What is beyond the ends is the same too.
    shared = np.minimum(shared, lengths)

    parents: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
    edges: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
    bests: list[npt.NDArray[Any]] = [np.zeros(1)]
    sizes = [1]
    node = np.zeros(len(labels), np.int64)
    number = 1
    for level in range(labels.shape[1]):
        reaches = lengths > level
        begins = reaches & (shared <= level)
        first = np.flatnonzero(begins)
        if not len(first):
            break
        parents.append(node[first])
        edges.append(labels[first, level].astype(np.int64))
        node = np.where(reaches, number - 1 + np.cumsum(begins), node)
        worth = scores if gains is None else scores + gains * ((level + 1) / lengths)
        bests.append(np.maximum.reduceat(np.where(reaches, worth, -np.inf), first))
        sizes.append(len(first))
        number += len(first)
    return PrefixTree(
        np.concatenate(parents),
        np.concatenate(edges),
        np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        np.concatenate(bests).astype(np.float32),
        node,
    )
