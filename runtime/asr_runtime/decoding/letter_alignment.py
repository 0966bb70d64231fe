"""From the labels that a search found to the characters of the text, with times and confidences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import Frames, align_in_parts, cut_frames, spoken
from asr_runtime.decoding.greedy import mean_probability
from asr_runtime.transcript import Token

# Frames aligned at a time: at least, where there is a pause, and at most.
PART_FRAMES = (150, 600)
IMPROBABLE = -1e4


@dataclass(frozen=True)
class AlignedLabels:
    """Labels with the first and the last frame of each [labels]."""

    labels: npt.NDArray[np.int64]
    first: Frames
    last: Frames

    def before(self, place: int) -> "AlignedLabels":
        """Those before one of them."""
        return AlignedLabels(self.labels[:place], self.first[:place], self.last[:place])


class TokenAligner:
    """Finds when labels were spoken, leaves out those of words that were not, and writes tokens.

    vocabulary: the text of each class. blank, space: classes.
    silence_threshold: see `spoken_words.spoken`.
    """

    def __init__(
        self, vocabulary: Sequence[str], blank: int, space: int, silence_threshold: float
    ) -> None:
        self._vocabulary = tuple(vocabulary)
        self._blank = blank
        self._space = space
        self._silence_threshold = silence_threshold

    def align(
        self,
        log_probs: npt.NDArray[np.floating[Any]],
        labels: npt.NDArray[np.int64],
        start_frames: Frames,
        blank_frames: npt.NDArray[np.bool_],
    ) -> AlignedLabels:
        """First and last frame of each label.

        log_probs: natural logarithms [frames, classes].
        labels, start_frames: as `BestPath` has them, frames counted from the first of these [labels].
        blank_frames: as `BeamSearch.blank_frames` gives it [frames].
        """
        repeats = np.count_nonzero(labels[1:] == labels[:-1])
        if len(labels) + repeats > len(log_probs):
            # The search joins paths, so that a part of one need not be a path.
            return AlignedLabels(labels, start_frames, start_frames)
        scores = np.maximum(log_probs, IMPROBABLE)
        cuts = cut_frames(blank_frames, *PART_FRAMES)
        frames = align_in_parts(scores, labels, start_frames, cuts, self._blank, self._space)
        return AlignedLabels(labels, *frames)

    def tokens(
        self,
        log_probs: npt.NDArray[np.floating[Any]],
        aligned: AlignedLabels,
        seconds_per_frame: float,
        offset: int = 0,
        previous: Token | None = None,
    ) -> tuple[Token, ...]:
        """The characters of the words that were spoken.

        log_probs: natural logarithms [frames, classes].
        aligned: what `place` found in them.
        offset: frames before these, for the times.
        previous: the token before these, if there is any; of no importance here.
        """
        labels, first, last = aligned.labels, aligned.first, aligned.last
        kept = spoken(
            np.maximum(log_probs, IMPROBABLE),
            labels,
            first,
            last,
            self._blank,
            self._space,
            self._silence_threshold,
        )
        return tuple(
            Token(
                self._vocabulary[label],
                (begin + offset) * seconds_per_frame,
                (end + offset + 1) * seconds_per_frame,
                mean_probability(log_probs[begin : end + 1, label]),
            )
            for label, begin, end in zip(
                labels[kept].tolist(), first[kept].tolist(), last[kept].tolist(), strict=True
            )
        )
