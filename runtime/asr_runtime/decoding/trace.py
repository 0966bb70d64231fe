"""How each hypothesis of the beam search was spelled: a tree of labels that grows at its leaves."""

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.hypotheses import Integers

NO_LABEL = -1

# Forgetting takes a while: 3 ms after half a minute of speech.
_FEW_PREFIXES = 1 << 16


class Trace:
    """Prefixes, each as the number of the one before, the label it added, and in which frame.

    Number 0 is the root, the prefix of no label.
    """

    def __init__(self) -> None:
        self._parents = [np.zeros(1, np.int32)]
        self._labels = [np.full(1, NO_LABEL, np.int32)]
        self._frames = [np.zeros(1, np.int32)]
        self._number = 1
        self._limit = _FEW_PREFIXES

    def __len__(self) -> int:
        """How many prefixes are kept, the root among them."""
        return self._number

    @property
    def crowded(self) -> bool:
        """Whether it has grown so much since `keep` that forgetting is due."""
        return self._number >= self._limit

    def add(self, parents: Integers, labels: Integers, frame: Integers | int) -> Integers:
        """The numbers of new prefixes; `frame` may be one for all."""
        self._parents.append(parents.astype(np.int32))
        self._labels.append(labels.astype(np.int32))
        self._frames.append(np.full(len(parents), frame, np.int32))
        begin = self._number
        self._number += len(parents)
        return np.arange(begin, self._number)

    def follow(self, number: int) -> tuple[Integers, Integers]:
        """Labels of a prefix from its first, and the frames they were added in."""
        labels, frames = self.paths(np.array([number]))
        return labels[0], frames[0]

    def paths(self, numbers: Integers) -> tuple[Integers, Integers]:
        """`follow` for several [prefixes, labels of the longest]; others end with NO_LABEL."""
        places = self._places(numbers)
        labels = _joined(self._labels)[places].astype(np.int64)
        return labels, _joined(self._frames)[places].astype(np.int64)

    def keep(self, numbers: Integers, without: int = 0) -> Integers:
        """Forget all but some prefixes and what they are made of; returns their new numbers.

        without: labels to forget at the beginning of each, the same ones for all.
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
        # Numbers grow along a path, so that the largest is the whole of it.
        new: Integers = np.searchsorted(kept, places.max(axis=1, initial=0))
        return new

    def _places(self, numbers: Integers) -> Integers:
        """The numbers of all prefixes of some, from the shortest; 0 after the last."""
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
