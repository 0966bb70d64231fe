"""How the hypotheses of a beam search were spelled, and the texts that are read off from that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.hypotheses import Integers

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
    def parents(self) -> npt.NDArray[np.int32]:
        """Number of the prefix that each goes on from; of the root the root. int32 [prefixes]."""
        return _joined(self._parents)

    @property
    def labels(self) -> npt.NDArray[np.int32]:
        """Label that each prefix adds, int32 [prefixes]."""
        return _joined(self._labels)

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
        # One path is walked faster than whole arrays are looked up.
        parents = _joined(self._parents)
        path = []
        while number:
            path.append(number)
            number = int(parents[number])
        return np.array(path[::-1], np.int64)

    def follow(self, number: int) -> tuple[Integers, Integers]:
        """Return the labels of a prefix from its first, and the frames they were added in.

        Args:
            number: The prefix.

        Returns:
            Labels and frames, int64 [labels] both.
        """
        places = self.ancestors(number)
        labels = _joined(self._labels)[places].astype(np.int64)
        return labels, _joined(self._frames)[places].astype(np.int64)

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

    def with_beginning(self, path: BestPath, place: int, prefix: int) -> BestPath:
        """Return a path with another beginning.

        Args:
            path: The path.
            place: Label from which on it stays as it is.
            prefix: What comes before that instead.

        Returns:
            A path with the same score.
        """
        labels, frames = self.follow(prefix)
        frames = np.concatenate((frames, path.start_frames[place:]))
        return BestPath(
            np.concatenate((labels, path.labels[place:])),
            # A label of the rest may have been spelled before the last one of another beginning.
            np.minimum.accumulate(frames[::-1])[::-1],
            path.score,
            path.prefix,
            len(labels) + max(path.own - place, 0),
            path.shift + place - len(labels),
        )

    def keep(self, numbers: Integers, without: int = 0) -> Integers:
        """Forget all but some prefixes and what they are made of.

        Args:
            numbers: The prefixes to keep, int64 [prefixes].
            without: Labels to forget at the beginning of each, the same ones for all.

        Returns:
            The prefixes' new numbers, int64 [prefixes].
        """
        places = self._places(numbers)[:, without:]
        kept = self.kept(numbers, without)
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

    def kept(self, numbers: Integers, without: int = 0) -> Integers:
        """Return the numbers that the prefixes which `keep` would leave have before it.

        Args:
            numbers: The prefixes to keep, int64 [prefixes].
            without: Labels to forget at the beginning of each.

        Returns:
            In order of their new numbers, int64 [kept]; the root is the first.
        """
        kept: Integers = np.sort(np.append(self._places(numbers)[:, without:], 0))
        # As np.unique does, which would load numpy.ma: 20 ms when a program begins.
        new: Integers = kept[np.append(True, kept[1:] != kept[:-1])]
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
        prefix: Number in the traceback of the hypothesis that the path ends as; -1 where it does
            not matter.
        own: Label of the path from which on its labels are that hypothesis's.
        shift: How many labels more than the path that hypothesis has before those.
    """

    labels: Integers
    start_frames: Integers
    score: float
    prefix: int = -1
    own: int = 0
    shift: int = 0

    def without_last(self, label: int) -> BestPath:
        """Return the path without its last label if it is this one."""
        if not len(self.labels) or self.labels[-1] != label:
            return self
        return replace(self, labels=self.labels[:-1], start_frames=self.start_frames[:-1])


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
