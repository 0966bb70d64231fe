"""The hypotheses of a beam search after a frame, as columns of two arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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

    def after_blanks(self, log_prob: float) -> Hypotheses:
        """Return the hypotheses after frames that are blank whatever came before.

        Args:
            log_prob: Log-probability of these blanks.
        """
        log_scores = self.scores.copy()
        log_scores[BLANK] = self.total() + log_prob
        log_scores[SPOKEN] = LOG_ZERO
        return Hypotheses(self.fields, log_scores)

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
