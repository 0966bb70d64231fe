"""The words of a language model as a tree of letters that the beam search walks down.

Each node carries the best score of the words below it. The search adds it on the way into a word
and takes it back at the word's end, where the word's own score comes in its place (language-model
look-ahead: S. Ortmanns, H. Ney, A. Eiden, "Language-model look-ahead for large vocabulary speech
recognition", ICSLP 1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.language.trie import TrieEdges, grow_trie, link_edges

ROOT = 0
NO_WORD = -1


@dataclass(frozen=True)
class Lexicon:
    """A letter tree. Nodes are numbered level by level from the root, 0.

    Attributes:
        children: Node after each node and class; where no word goes on, it is `outside`, an extra
            last node, which leads to itself.
        word: Index of the word that ends at each node, or NO_WORD, int32 [nodes + 1].
        depth: Letters from the root; of `outside` 0. int32 [nodes + 1].
        best: Highest score of the words at or below each node; of the root and of `outside` 0.
            float32 [nodes + 1].
    """

    children: TrieEdges
    word: npt.NDArray[np.int32]
    depth: npt.NDArray[np.int32]
    best: npt.NDArray[np.float32]

    @property
    def outside(self) -> int:
        """Node of every sequence of letters that begins no word."""
        return self.children.outside


def build_lexicon(
    words: Sequence[str], scores: npt.NDArray[np.float32], vocabulary: Sequence[str]
) -> Lexicon:
    """Build the tree of some words.

    Args:
        words: Distinct and sorted; index i is the word's number. Those with a character that is no
            class are left out.
        scores: Score of each word, for the look-ahead, float32 [words].
        vocabulary: Text of each class; letters are classes of one character.

    Returns:
        The tree.
    """
    lengths = np.array([len(word) for word in words], np.int64)
    longest = int(lengths.max(initial=0))
    # [words, longest] code points, 0 beyond a word's end.
    codes = (
        np.array(words, f"<U{max(longest, 1)}").view(np.uint32).reshape(len(words), max(longest, 1))
    )
    known = {ord(text): number for number, text in enumerate(vocabulary) if len(text) == 1}
    class_of = np.full(max(int(codes.max(initial=0)), *known, 0) + 1, -1, np.int16)
    class_of[list(known)] = list(known.values())
    classes = class_of[codes]
    spelled = ((classes >= 0) | (np.arange(codes.shape[1]) >= lengths[:, None])).all(axis=1)
    index = np.flatnonzero(spelled & (lengths > 0))
    classes, lengths, scores = classes[index], lengths[index], scores[index]
    tree = grow_trie(classes, lengths, scores)
    word = np.full(tree.nodes + 1, NO_WORD, np.int32)
    word[tree.final] = index
    # Words are sorted by characters, so the letters after a prefix are: not always by class.
    order = sorted(range(len(vocabulary)), key=lambda label: (vocabulary[label], label))
    place = np.empty(len(vocabulary), np.int64)
    place[order] = np.arange(len(vocabulary))
    return Lexicon(
        link_edges(tree.parents, tree.labels, tree.nodes, place),
        word,
        np.append(tree.depth, np.int32(0)),
        np.append(tree.best, np.float32(0)),
    )
