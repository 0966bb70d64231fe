"""How all words are spoken, as a tree of phonemes that the beam search walks down.

It differs from the tree of letters in three ways. Several words may end at one node (homophones),
and one word at several nodes (pronunciations). There is no label between words, so that a node must
tell the label before: the search stands between words at one of `roots`, one for each last label.
Words that are not in the tree are a loop of phonemes, the nodes `outside`, again one for each.

Every node carries the best score of the words below it; see `lexicon`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.language.label_priors import phonotactics
from asr_runtime.language.lexicon import NO_WORD
from asr_runtime.language.phonemes import BLANK, PHONEMES
from asr_runtime.language.pronunciations import Pronunciations
from asr_runtime.language.trie import TrieEdges, grow_trie, link_edges

LOG_ZERO = np.float32(-1e30)

_BITS = 6
"""Of a phoneme in a number that is sorted by."""


@dataclass(frozen=True)
class PronunciationTree:
    """A tree of phonemes. The nodes of words come first, the root 0 among them, then the others.

    Attributes:
        children: Node after each node and phoneme; where no word goes on, `nowhere`, the last node.
        label: Last phoneme of each node, BLANK where there is none, uint8 [nodes + 1].
        best: Highest score of the words at or below each node; of ``outside`` an unknown word's, of
            `nowhere` LOG_ZERO, of roots 0. float32 [nodes + 1].
        promised: How much of it is what hotwords gain, float32 [nodes + 1]; None without hotwords.
        ends: Where the pronunciations that end at each node begin among all, int32 [nodes + 2].
        word: Word of each pronunciation, in the order of the nodes they end at, and, as further
            ones, of the unknown words that end at each ``outside``, int32 [pronunciations +
            labels].
        penalty: Nats taken for each, float32 [pronunciations + labels].
        begin: Where each one's phonemes are in ``phonemes``; of unknown ones none are. int32
            [pronunciations + labels].
        length: How many they are, uint8 [pronunciations + labels].
        phonemes: Ids, uint8.
        follows: What `phonotactics` returned; the penalty of an unknown word is that of its end.
        roots: Node between words after label 0; after label i it is ``roots + i``, after none
            ``roots + BLANK``.
        outside: Node of an unknown word with label 0; others follow.
    """

    children: TrieEdges
    label: npt.NDArray[np.uint8]
    best: npt.NDArray[np.float32]
    promised: npt.NDArray[np.float32] | None
    ends: npt.NDArray[np.int32]
    word: npt.NDArray[np.int32]
    penalty: npt.NDArray[np.float32]
    begin: npt.NDArray[np.int32]
    length: npt.NDArray[np.uint8]
    phonemes: npt.NDArray[np.uint8]
    follows: npt.NDArray[np.float64]
    roots: int
    outside: int

    @property
    def nowhere(self) -> int:
        """Node of all that is no word."""
        return self.children.outside

    @property
    def unknown(self) -> int:
        """Number from which on pronunciations are those of unknown words."""
        return len(self.word) - len(PHONEMES)

    def spoken(self, pronunciation: int) -> npt.NDArray[np.uint8]:
        """Return the phonemes of a pronunciation, uint8 [phonemes]."""
        begin = int(self.begin[pronunciation])
        return self.phonemes[begin : begin + int(self.length[pronunciation])]


def build_pronunciation_tree(
    pronunciations: Pronunciations,
    scores: npt.NDArray[np.float32],
    unknown: float,
    variant_penalty: float = 0.0,
    gains: npt.NDArray[np.float32] | None = None,
) -> PronunciationTree:
    """Build the tree.

    Args:
        pronunciations: How the words are spoken.
        scores: Score of each word, for the look-ahead, float32 [words].
        unknown: Score of an unknown word.
        variant_penalty: Nats taken from each pronunciation of a word but its first.
        gains: The part of each word's score that comes phoneme by phoneme, float32 [words]. A
            hotword's does, because all at once, at its first phoneme, it would drive everything
            else out of the beam.

    Returns:
        The tree.
    """
    word = pronunciations.word
    penalty = np.zeros(len(word), np.float32)
    penalty[1:][word[1:] == word[:-1]] = variant_penalty
    length = np.diff(pronunciations.offsets).astype(np.uint8)
    longest = int(length.max(initial=1))
    # One more than the phoneme, 0 beyond the end: shorter ones come first. Labels of one place are
    # together in memory, because all that follows goes through them place by place.
    columns = np.zeros((longest, len(word)), np.uint8)
    for place_in_word, column in enumerate(columns):
        longer = np.flatnonzero(length > place_in_word)
        begins = pronunciations.offsets[longer] + place_in_word
        column[longer] = pronunciations.phonemes[begins] + np.uint8(1)
    order = _sorted(columns.T)
    columns = columns[:, order]
    sorted_length = length[order]
    worth = scores[word] - penalty
    gained = None if gains is None else gains[word][order]
    if gained is not None:
        worth[order] -= gained
    # The root's edges have label + 1, which the order does not mind.
    tree = grow_trie(columns.T, sorted_length, worth[order], gained)

    labels = len(PHONEMES)
    follows = phonotactics(pronunciations)
    roots = tree.nodes
    outside = roots + labels + 1
    nowhere = outside + labels
    place = np.arange(labels)
    children = link_edges(tree.parents, tree.labels - 1, nowhere, place)
    for table in (children.present, children.first):
        table[roots:outside] = table[0]
    label = np.full(nowhere + 1, BLANK, np.uint8)
    label[1:roots] = tree.labels - 1
    label[roots:outside] = np.append(place, BLANK)
    label[outside:nowhere] = place
    best = np.zeros(nowhere + 1, np.float32)
    best[:roots] = tree.best
    best[outside:nowhere] = unknown
    best[nowhere] = LOG_ZERO
    promised = None
    if tree.promised is not None:
        promised = np.pad(tree.promised, (0, nowhere + 1 - roots))

    # Nodes are numbered by their depth first, and those of one depth as the sequences are sorted.
    by_node = np.argsort(sorted_length, kind="stable")
    ends = np.zeros(nowhere + 2, np.int32)
    number = np.bincount(tree.final, minlength=nowhere + 1)
    number[outside:nowhere] = 1
    np.cumsum(number, out=ends[1:])
    order = order[by_node]
    begin = pronunciations.offsets[:-1]
    return PronunciationTree(
        children,
        label,
        best,
        promised,
        ends,
        np.pad(word[order], (0, labels), constant_values=NO_WORD),
        np.append(penalty[order], -follows[:BLANK, BLANK].astype(np.float32)),
        np.pad(begin[order], (0, labels)),
        np.pad(length[order], (0, labels)).astype(np.uint8),
        pronunciations.phonemes,
        follows,
        roots,
        outside,
    )


def _sorted(padded: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the order of rows by their numbers from left to right, int64 [rows]."""
    fields = 64 // _BITS
    keys = []
    for begin in range(0, padded.shape[1], fields):
        key = np.zeros(len(padded), np.uint64)
        for column in range(begin, begin + fields):
            key <<= np.uint64(_BITS)
            if column < padded.shape[1]:
                key |= padded[:, column]
        keys.append(key)
    order = np.argsort(keys[0], kind="stable")
    if len(keys) > 1:
        # Few are still equal: only those are sorted by the rest.
        first = keys[0][order]
        equal = np.zeros(len(order), bool)
        equal[1:] = first[1:] == first[:-1]
        equal[:-1] |= equal[1:].copy()
        tied = order[equal]
        order[equal] = tied[np.lexsort([key[tied] for key in reversed(keys)])]
    return order
