"""What the beam search keeps: the hypotheses of the moment, and how each was spelled."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NEVER = -1e30
"""Nats of the impossible: instead of minus infinity, whose differences are no numbers."""


class Hypotheses(NamedTuple):
    """Arrays [hypotheses], one row a prefix; prefixes with one key have the same future.

    text: a hash of all labels, which tells prefixes of one key apart.
    context: of the complete words, as `WordScorer` has it.
    node: of the begun word in the lexicon.
    label: the last one.
    blank, spoken: nats of all paths so far that end in a blank and in the last label. A hypothesis
        between words has only the first, for there a word boundary is as good as a blank.
    ahead: what the begun word has been given in advance.
    trace: number of the prefix in `Trace`, or, of a new one, the complement of its parent's.
    """

    key: Integers
    text: Integers
    context: Integers
    node: npt.NDArray[np.int32]
    label: Integers
    blank: Floats
    spoken: Floats
    ahead: Floats
    trace: Integers

    def total(self) -> Floats:
        """Nats of all paths of each."""
        total: Floats = np.logaddexp(self.blank, self.spoken)
        return total

    def take(self, index: Integers) -> "Hypotheses":
        """Some of them."""
        return Hypotheses(*(array[index] for array in self))  # type: ignore[arg-type]


class Trace:
    """All prefixes ever kept, each as the number of the one before and the label it added."""

    def __init__(self) -> None:
        self._parents = [np.zeros(1, np.int32)]
        self._labels = [np.zeros(1, np.int32)]
        self._frames = [np.zeros(1, np.int32)]
        self._number = 1

    def add(self, parents: Integers, labels: Integers, frame: int) -> Integers:
        """The numbers of new prefixes."""
        self._parents.append(parents.astype(np.int32))
        self._labels.append(labels.astype(np.int32))
        self._frames.append(np.full(len(parents), frame, np.int32))
        begin = self._number
        self._number += len(parents)
        return np.arange(begin, self._number)

    def follow(self, number: int) -> tuple[Integers, Integers]:
        """Labels of a prefix from its first, and the frames they were added in."""
        path = []
        while number:
            path.append(number)
            number = int(self._joined(self._parents)[number])
        path.reverse()
        labels = self._joined(self._labels)[path].astype(np.int64)
        return labels, self._joined(self._frames)[path].astype(np.int64)

    @staticmethod
    def _joined(parts: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
        if len(parts) > 1:
            parts[:] = [np.concatenate(parts)]
        return parts[0]
