"""The beam search in the middle of an utterance, and how it goes on with the best hypotheses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from asr_runtime.decoding.hypotheses import (
    BLANK,
    KEY,
    LOG_ZERO,
    LOOKAHEAD,
    PREFIX,
    SPOKEN,
    TEXT,
    Hypotheses,
    Integers,
)
from asr_runtime.decoding.recombinations import Recombinations
from asr_runtime.decoding.traceback import Traceback


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


@dataclass
class SearchState:
    """How far the search of one utterance has come.

    Attributes:
        beam: Hypotheses after the last frame.
        traceback: How they were spelled.
        frames: Number of frames searched so far; those in ``traceback`` count from the first of
            these.
        recombinations: Notes for `Recombinations.paths`; None where one text is enough. With them
            the traceback grows until labels are left out.
    """

    beam: Hypotheses
    traceback: Traceback = field(default_factory=Traceback)
    frames: int = 0
    recombinations: Recombinations | None = None

    @property
    def notes(self) -> Recombinations:
        """What was noted; ValueError if the search was begun without notes."""
        if self.recombinations is None:
            raise ValueError("the search has no notes")
        return self.recombinations

    def spelled(self) -> tuple[Integers, Integers]:
        """Return what `Traceback.paths` does for every hypothesis, int64 [n, length]."""
        return self.traceback.paths(self.beam.fields[PREFIX])

    def commit(self, labels: int, shared: int = 0) -> None:
        """Leave out the first labels, which all hypotheses must share, from what is spelled.

        Args:
            labels: How many labels.
            shared: How many more labels all hypotheses share, and texts must to stay noted.
        """
        prefixes = self.beam.fields[PREFIX]
        if self.recombinations is None:
            prefixes[:] = self.traceback.keep(prefixes, labels)
        else:
            prefixes[:] = self.recombinations.commit(self.traceback, prefixes, labels, shared)
