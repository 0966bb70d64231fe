"""What the beam search keeps: the hypotheses of the moment."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NEVER = -1e30
"""Nats of the impossible: instead of minus infinity, whose differences are no numbers."""

KEY, TEXT, CONTEXT, NODE, LABEL, TRACE = range(6)
BEGAN = LABEL
"""The row's name in the search by phonemes, whose nodes tell the last label."""
BLANK, SPOKEN, AHEAD = range(3)

_HASH_FACTOR = np.int64(6364136223846793005)
_HASH_TERM = np.int64(1442695040888963407)


class Hypotheses:
    """Columns of two arrays, each a prefix; prefixes with one key have the same future.

    Two arrays and not nine: of so few numbers, what counts is how often numpy is called.

    whole: int64 [6, hypotheses], the rows named above:
        key, text: `text` is a hash of all labels, which tells prefixes of one key apart.
        context: of the complete words, as `WordScorer` has it.
        node: of the begun word in the lexicon.
        label: the last one. Or began: the frame that the begun word began in, between words the
            frame that the last one ended in.
        trace: number of the prefix in `Trace`, or, of a new one, the complement of its parent's.
    nats: float64 [3, hypotheses]:
        blank, spoken: of all paths so far that end in a blank and in the last label. A hypothesis
            after a word boundary has only the first, for there it is as good as a blank.
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


def hash_texts(texts: Integers, labels: Integers | int) -> Integers:
    """The hashes of texts that each go on with one more label."""
    hashed: Integers = texts * _HASH_FACTOR + labels + _HASH_TERM
    return hashed


def merge(options: Hypotheses, size: int) -> Hypotheses:
    """The best hypotheses, at most `size`: of each key the best prefix, with all its paths."""
    scores = np.maximum(options.nats[BLANK], options.nats[SPOKEN])
    if len(scores) > 3 * size:
        options = options.take(np.argpartition(scores, -3 * size)[-3 * size :])
        scores = np.maximum(options.nats[BLANK], options.nats[SPOKEN])
    options = options.take(np.lexsort((-scores, options.whole[KEY])))
    keys = options.whole[KEY]
    begins = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    first = begins.nonzero()[0]
    if len(first) < len(keys):
        # Of other prefixes with the same future, which cannot win any more, nothing is taken.
        text = options.whole[TEXT]
        group = first.take(begins.cumsum() - 1)
        paths = options.nats[:AHEAD]
        np.copyto(paths, NEVER, where=text != text.take(group))
        added = np.logaddexp.reduceat(paths, first, axis=1)
        options = options.take(first)
        options.nats[:AHEAD] = added
    if len(first) > size:
        scores = np.maximum(options.nats[BLANK], options.nats[SPOKEN])
        options = options.take(np.argpartition(scores, -size)[-size:])
    return options
