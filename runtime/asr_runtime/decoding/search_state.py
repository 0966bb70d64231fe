"""The beam search in the middle of an utterance: hypotheses, their traceback, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from asr_runtime.decoding.recombinations import Recombinations

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LOG_ZERO = -1e30
"""Log-probability of the impossible; unlike minus infinity, it has differences that are numbers."""

KEY, TEXT, CONTEXT, NODE, LABEL, PREFIX = range(6)
BEGAN = LABEL
"""Name of that row in the search by phonemes, whose nodes tell the last label."""
BLANK, SPOKEN, LOOKAHEAD = range(3)

_HASH_FACTOR = np.int64(6364136223846793005)
_HASH_TERM = np.int64(1442695040888963407)


class Hypotheses:
    """Columns of two arrays, each a prefix of the text; prefixes with one key have the same future.

    There are two arrays and not nine because, of so few numbers, it counts how often numpy is
    called. The rows have the names above:

    - KEY and TEXT: TEXT is a hash of all labels, which tells prefixes of one key apart.
    - CONTEXT: what the complete words say about the next one, as `WordScorer` has it.
    - NODE: of the begun word, in the lexicon.
    - LABEL: the last one. In a search by phonemes BEGAN: the frame that the begun word began in,
      between words the frame that the last one ended in.
    - PREFIX: number of the prefix in the `Traceback`, or, of a new one, the complement of its
      parent's.
    - BLANK and SPOKEN: log-probability of all paths so far that end in a blank and in the last
      label. A hypothesis after a word boundary has only the first, because there it is as good as a
      blank.
    - LOOKAHEAD: what the begun word has been given in advance.

    Attributes:
        fields: KEY to PREFIX, int64 [6, hypotheses].
        scores: BLANK to LOOKAHEAD in nats, float64 [3, hypotheses].
    """

    __slots__ = ("fields", "scores")

    def __init__(self, fields: Integers, log_scores: Floats) -> None:
        """Take the arrays as they are.

        Args:
            fields: int64 [6, hypotheses].
            log_scores: float64 [3, hypotheses].
        """
        self.fields = fields
        self.scores = log_scores

    def total(self) -> Floats:
        """Return the total log-probability of each hypothesis, float64 [hypotheses]."""
        total: Floats = np.logaddexp(self.scores[BLANK], self.scores[SPOKEN])
        return total

    def take(self, index: Integers) -> Hypotheses:
        """Return some hypotheses, by their indices [chosen]."""
        return Hypotheses(self.fields.take(index, axis=1), self.scores.take(index, axis=1))

    @staticmethod
    def joined(parts: list[Hypotheses]) -> Hypotheses:
        """Concatenate several sets of hypotheses."""
        return Hypotheses(
            np.concatenate([part.fields for part in parts], axis=1),
            np.concatenate([part.scores for part in parts], axis=1),
        )


def hash_texts(texts: Integers, labels: Integers | int) -> Integers:
    """Return the hashes of texts that each go on with one more label.

    Args:
        texts: Hashes of the texts, int64 [texts].
        labels: Label that each goes on with, int64 [texts], or one for all.

    Returns:
        int64 [texts].
    """
    hashed: Integers = texts * _HASH_FACTOR + labels + _HASH_TERM
    return hashed


def merge(
    options: Hypotheses, size: int, recombinations: Recombinations | None = None
) -> Hypotheses:
    """Return the best hypotheses: of each key the best prefix, with all its paths.

    Args:
        options: Hypotheses, several of which may have one key.
        size: Hypotheses to keep at most.
        recombinations: Notes the other prefixes of each key.
    """
    scores = np.maximum(options.scores[BLANK], options.scores[SPOKEN])
    if len(scores) > 3 * size:
        options = options.take(np.argpartition(scores, -3 * size)[-3 * size :])
        scores = np.maximum(options.scores[BLANK], options.scores[SPOKEN])
    options = options.take(np.lexsort((-scores, options.fields[KEY])))
    keys = options.fields[KEY]
    begins = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    first = begins.nonzero()[0]
    if len(first) < len(keys):
        # Of other prefixes with the same future, which cannot win any more, nothing is taken.
        text = options.fields[TEXT]
        group = first.take(begins.cumsum() - 1)
        paths = options.scores[:LOOKAHEAD]
        others = text != text.take(group)
        if recombinations is not None:
            recombinations.note(options, others.nonzero()[0], group)
        np.copyto(paths, LOG_ZERO, where=others)
        added = np.logaddexp.reduceat(paths, first, axis=1)
        options = options.take(first)
        options.scores[:LOOKAHEAD] = added
    if len(first) > size:
        scores = np.maximum(options.scores[BLANK], options.scores[SPOKEN])
        options = options.take(np.argpartition(scores, -size)[-size:])
    return options


NO_LABEL = -1

# Forgetting takes a while: 3 ms after half a minute of speech.
_FEW_PREFIXES = 1 << 16


class Traceback:
    """How each hypothesis was spelled: a tree of labels that grows at its leaves.

    A prefix is the number of the one before, the label it added, and in which frame. Number 0 is
    the root, the prefix of no label.
    """

    def __init__(self) -> None:
        """Begin with the root."""
        self._parents = [np.zeros(1, np.int32)]
        self._labels = [np.full(1, NO_LABEL, np.int32)]
        self._frames = [np.zeros(1, np.int32)]
        self._number = 1
        self._limit = _FEW_PREFIXES

    def __len__(self) -> int:
        """Return how many prefixes are kept, the root among them."""
        return self._number

    @property
    def needs_pruning(self) -> bool:
        """Whether it has grown so much since `keep` that forgetting is due."""
        return self._number >= self._limit

    def add(self, parents: Integers, labels: Integers, frame: Integers | int) -> Integers:
        """Add prefixes.

        Args:
            parents: Number of the prefix that each goes on from, int64 [prefixes].
            labels: Label that each adds, int64 [prefixes].
            frame: Frame in which it adds it, int64 [prefixes], or one for all.

        Returns:
            The numbers of the new prefixes, int64 [prefixes].
        """
        self._parents.append(parents.astype(np.int32))
        self._labels.append(labels.astype(np.int32))
        self._frames.append(np.full(len(parents), frame, np.int32))
        begin = self._number
        self._number += len(parents)
        return np.arange(begin, self._number)

    def ancestors(self, number: int) -> Integers:
        """Return the numbers of a prefix's own beginnings, from its first label to all of it.

        Args:
            number: The prefix.

        Returns:
            int64 [labels].
        """
        ancestors: Integers = self._places(np.array([number]))[0]
        return ancestors

    def follow(self, number: int) -> tuple[Integers, Integers]:
        """Return the labels of a prefix from its first, and the frames they were added in.

        Args:
            number: The prefix.

        Returns:
            Labels and frames, int64 [labels] both.
        """
        labels, frames = self.paths(np.array([number]))
        return labels[0], frames[0]

    def paths(self, numbers: Integers) -> tuple[Integers, Integers]:
        """Return what `follow` does for several prefixes.

        Args:
            numbers: The prefixes, int64 [prefixes].

        Returns:
            Labels and frames, int64 [prefixes, labels of the longest] both; shorter ones end with
            NO_LABEL.
        """
        places = self._places(numbers)
        labels = _joined(self._labels)[places].astype(np.int64)
        return labels, _joined(self._frames)[places].astype(np.int64)

    def keep(self, numbers: Integers, without: int = 0) -> Integers:
        """Forget all but some prefixes and what they are made of.

        Args:
            numbers: The prefixes to keep, int64 [prefixes].
            without: Labels to forget at the beginning of each, the same ones for all.

        Returns:
            The prefixes' new numbers, int64 [prefixes].
        """
        places = self._places(numbers)[:, without:]
        kept = np.unique(np.append(places, 0))
        parents = np.searchsorted(kept, _joined(self._parents)[kept]).astype(np.int32)
        # Where the forgotten labels end there is the root now.
        parents[np.searchsorted(kept, places[:, :1])] = 0
        self._parents = [parents]
        self._labels = [_joined(self._labels)[kept]]
        self._frames = [_joined(self._frames)[kept]]
        self._number = len(kept)
        self._limit = max(_FEW_PREFIXES, 2 * len(kept))
        # Numbers grow along a path, so that the largest is all of it.
        new: Integers = np.searchsorted(kept, places.max(axis=1, initial=0))
        return new

    def _places(self, numbers: Integers) -> Integers:
        """Return the numbers of all prefixes of some, from the shortest; 0 after the last."""
        parents = _joined(self._parents)
        steps = [np.zeros_like(numbers)]
        while numbers.any():
            steps.append(numbers)
            numbers = parents[numbers].astype(np.int64)
        steps.reverse()
        longest = len(steps) - 1
        places = np.stack(steps, axis=1)
        begins = longest - np.count_nonzero(places, axis=1)
        columns = np.minimum(np.arange(longest) + begins[:, None], longest)
        taken: Integers = np.take_along_axis(places, columns, axis=1)
        return taken


def _joined(parts: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    if len(parts) > 1:
        parts[:] = [np.concatenate(parts)]
    return parts[0]


@dataclass(frozen=True)
class BestPath:
    """The best text of an utterance.

    Attributes:
        labels: Its classes, with single word boundaries between words; or the pronunciations of its
            words. int64 [labels].
        start_frames: Frame from which on the search spelled each label, int64 [labels].
        score: Log-probability of the text, with the language model's share, in nats.
    """

    labels: Integers
    start_frames: Integers
    score: float


@dataclass(frozen=True)
class Spelled:
    """What all hypotheses have spelled; every array is int64 [hypotheses, labels of the longest].

    Attributes:
        labels: As in `BestPath`; after them whatever is no label.
        start_frames: Frame from which on each label was spelled, or whatever will follow the last
            one.
        since: Frame from which on it stands that the text before each label has ended.
    """

    labels: Integers
    start_frames: Integers
    since: Integers


@dataclass
class SearchState:
    """How far the search of one utterance has come.

    Attributes:
        beam: Hypotheses after the last frame.
        traceback: How they were spelled.
        frames: Number of frames searched so far; those in ``traceback`` count from the first of
            these.
        recombinations: Notes for `Recombinations.paths`; None where one text is enough. With them
            the traceback grows with the utterance.
    """

    beam: Hypotheses
    traceback: Traceback = field(default_factory=Traceback)
    frames: int = 0
    recombinations: Recombinations | None = None

    def spelled(self) -> tuple[Integers, Integers]:
        """Return what `Traceback.paths` does for every hypothesis, int64 [n, length]."""
        return self.traceback.paths(self.beam.fields[PREFIX])

    def commit(self, labels: int) -> None:
        """Leave out the first labels, which all hypotheses must share, from what is spelled.

        Args:
            labels: How many labels.
        """
        prefixes = self.beam.fields[PREFIX]
        prefixes[:] = self.traceback.keep(prefixes, labels)
