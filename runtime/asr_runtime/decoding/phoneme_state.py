"""The search by phonemes in the middle of an utterance, and where it can go back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.hypotheses import PREFIX, Floats, Hypotheses, Integers
from asr_runtime.decoding.search_state import SearchState
from asr_runtime.decoding.word_scores import WordCache
from asr_runtime.language import phonemes

IMPROBABLE = -1e4
"""Nats of a label that cannot be, so that there is always a best text."""


class Frame(NamedTuple):
    """A frame to search.

    Attributes:
        number: Frames before it.
        row: Log-probabilities with the blank's penalty, float64 [phonemes + 1].
        likely: Which labels are likely, bool [phonemes + 1].
        silent: Whether none is.
        steady: Whether it is much like the frame before.
    """

    number: int
    row: Floats
    likely: npt.NDArray[np.bool_]
    silent: bool
    steady: bool


@dataclass
class Refuge:
    """The last frame after which a hypothesis stood between words, and all frames since.

    Attributes:
        beam: Hypotheses after that frame.
        silence: Of the search's state then.
        silent: Of the search's state then.
        stepped: Of the search's state then.
        best: Log-probability of the best hypothesis then.
        heard: Log-probability of the most probable labels of the frames since.
        frames: Those frames.
    """

    beam: Hypotheses
    silence: float
    silent: bool
    stepped: bool
    best: float
    heard: float = 0.0
    frames: list[Frame] = field(default_factory=list)


@dataclass(kw_only=True)
class PhonemeSearchState(SearchState):
    """How far the search of one utterance has come.

    Attributes:
        words: Scores words, with a memory.
        silence: Log-probability of the blanks since a label was last likely, which is not in the
            hypotheses' scores yet.
        silent: Whether there are such blanks.
        last_row: Log-probabilities of the last frame, float64 [1, phonemes + 1].
        stepped: Whether labels could be added in that frame.
        refuge: Where to go back to from a dead end; None for the beam as it is.
        wide: Whether the beam is wide, because there was one.
    """

    words: WordCache
    silence: float = 0.0
    silent: bool = False
    last_row: Floats = field(default_factory=lambda: np.full((1, phonemes.BLANK + 1), IMPROBABLE))
    stepped: bool = False
    refuge: Refuge | None = None
    wide: bool = False

    def settle(self) -> Refuge:
        """Make the hypotheses as they are now the ones to go back to, and return them."""
        best = float(self.beam.total().max()) + self.silence
        self.refuge = Refuge(self.beam, self.silence, self.silent, self.stepped, best)
        return self.refuge

    def go_back(self, refuge: Refuge) -> None:
        """Take the hypotheses of a refuge, to search the frames since then once more."""
        self.beam = refuge.beam
        self.silence, self.silent, self.stepped = refuge.silence, refuge.silent, refuge.stepped

    def count_silence(self) -> None:
        """Count the frames since a label was last likely: all paths are in the blank after them."""
        if self.silent:
            self.beam = self.beam.after_blanks(self.silence)
            self.silence, self.silent = 0.0, False

    def commit(self, labels: int, shared: int = 0) -> None:
        """Leave labels out as `SearchState.commit`; what to go back to must share them too."""
        beam, refuge = self.beam, self.refuge
        # With hypotheses that share the labels and none that do not, it is done for both at once.
        if refuge is not None:
            refuge.beam = refuge.beam.take(self._sharing(refuge.beam, labels))
            self.beam = Hypotheses.joined([beam, refuge.beam])
        super().commit(labels, shared)
        if refuge is not None:
            prefixes = self.beam.fields[PREFIX]
            beam.fields[PREFIX] = prefixes[: len(beam.fields[PREFIX])]
            refuge.beam.fields[PREFIX] = prefixes[len(beam.fields[PREFIX]) :]
            self.beam = beam
            if not len(refuge.beam.fields[PREFIX]):
                self.refuge = None

    def _sharing(self, hypotheses: Hypotheses, labels: int) -> Integers:
        """Return which hypotheses begin with the first labels of the beam's, int64 [sharing]."""
        beginning = self.traceback.follow(int(self.beam.fields[PREFIX, 0]))[0][:labels]
        spelled, _ = self.traceback.paths(hypotheses.fields[PREFIX])
        if spelled.shape[1] < labels:
            return np.zeros(0, np.int64)
        return np.flatnonzero((spelled[:, :labels] == beginning).all(axis=1))
