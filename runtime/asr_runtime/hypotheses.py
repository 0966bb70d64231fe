"""What the beam search keeps: the hypotheses of the moment."""

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
