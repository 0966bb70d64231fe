"""Which node follows each node of a tree after each letter or phoneme, in 8 to 12 bytes a node.

A table of nodes times classes would be quicker to look up, and is ten times as large. Here the
children of a node have consecutive numbers, and a bit for each class tells which of them exist: a
child's number is the first one's and the number of bits before its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.bits import popcount


@dataclass(frozen=True)
class LetterChildren:
    """The edges of a tree, for its `nodes` and `outside`, where all that is no edge leads.

    word, own, below: of each class, the word of bits that its own is in, that bit, and the bits
        before it [classes].
    present: bits of the classes that go on, 32 or 64 a word [nodes + 1, words].
    first: the child of the first bit of each word [nodes + 1, words].
    """

    word: npt.NDArray[np.int64]
    own: npt.NDArray[Any]
    below: npt.NDArray[Any]
    present: npt.NDArray[Any]
    first: npt.NDArray[np.int32]

    @property
    def outside(self) -> int:
        """The node of every sequence of letters that is not in the tree; leads to itself."""
        return len(self.present) - 1

    def after(
        self, nodes: npt.NDArray[Any], labels: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """The node after each of some nodes [n] and each of some classes [k]: [n, k]."""
        present, first = self.present.take(nodes, axis=0), self.first.take(nodes, axis=0)
        if present.shape[1] > 1:
            word = self.word[labels]
            present, first = present[:, word], first[:, word]
        child: npt.NDArray[np.int32] = first + popcount(present & self.below.take(labels))
        child[(present & self.own.take(labels)) == 0] = self.outside
        return child


def link_children(
    parents: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    nodes: int,
    place: npt.NDArray[np.int64],
) -> LetterChildren:
    """The edges to the nodes 1, 2, …, in this order.

    parents, labels: of each edge; those of one parent follow each other, in the order of `place`.
    nodes: the root among them.
    place: a number below that of classes for each class.
    """
    # One word for the phonemes, which are more than 32.
    bits: Any = np.uint64 if 32 < len(place) <= 64 else np.uint32
    size = np.iinfo(bits).bits
    words = -(-len(place) // size)
    word, bit = np.divmod(place[labels], size)
    present = np.zeros((nodes + 1, words), bits)
    np.bitwise_or.at(present, (parents, word), bits(1) << bit.astype(bits))
    # The first edge of each parent and word of bits; the edges' own order is that of the children.
    first = np.zeros((nodes + 1, words), np.int32)
    first[parents[::-1], word[::-1]] = np.arange(len(parents), 0, -1)
    word, bit = np.divmod(place, size)
    own = bits(1) << bit.astype(bits)
    return LetterChildren(word, own, own - bits(1), present, first)
