"""What the beam search keeps: the hypotheses of the moment."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NEVER = -1e30
"""Nats of the impossible: instead of minus infinity, whose differences are no numbers."""

KEY, TEXT, CONTEXT, NODE, LABEL, TRACE = range(6)
BLANK, SPOKEN, AHEAD = range(3)


class Hypotheses:
    """Columns of two arrays, each a prefix; prefixes with one key have the same future.

    Two arrays and not nine: of so few numbers, what counts is how often numpy is called.

    whole: int64 [6, hypotheses], the rows named above:
        key, text: `text` is a hash of all labels, which tells prefixes of one key apart.
        context: of the complete words, as `WordScorer` has it.
        node: of the begun word in the lexicon.
        label: the last one.
        trace: number of the prefix in `Trace`, or, of a new one, the complement of its parent's.
    nats: float64 [3, hypotheses]:
        blank, spoken: of all paths so far that end in a blank and in the last label. A hypothesis
            between words has only the first, for there a word boundary is as good as a blank.
        ahead: what the begun word has been given in advance.
    """

    __slots__ = ("nats", "whole")

    def __init__(self, whole: Integers, nats: Floats) -> None:
        self.whole = whole
        self.nats = nats

    def total(self) -> Floats:
        """Nats of all paths of each."""
        total: Floats = np.logaddexp(self.nats[BLANK], self.nats[SPOKEN])
        return total

    def take(self, index: Integers) -> "Hypotheses":
        """Some of them."""
        return Hypotheses(self.whole.take(index, axis=1), self.nats.take(index, axis=1))

    @staticmethod
    def joined(parts: "list[Hypotheses]") -> "Hypotheses":
        """All of several."""
        return Hypotheses(
            np.concatenate([part.whole for part in parts], axis=1),
            np.concatenate([part.nats for part in parts], axis=1),
        )
