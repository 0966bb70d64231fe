"""From the labels that a search found to the characters of the text, with times and confidences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import Frames, align_in_parts, cut_frames
from asr_runtime.decoding.greedy import mean_probability
from asr_runtime.decoding.spoken_words import spoken
from asr_runtime.transcript import Token

# Frames aligned at a time: at least, where there is a pause, and at most.
_PART_FRAMES = (150, 600)
_IMPROBABLE = -1e4


class TokenPlacer:
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
        entered: Frames,
        quiet: npt.NDArray[np.bool_],
    ) -> tuple[Frames, Frames]:
        """First and last frame of each label.

        log_probs: natural logarithms [frames, classes].
        labels, entered: as `Found` has them, frames counted from the first of these [labels].
        quiet: as `BeamSearch.quiet` gives it [frames].
        """
        repeats = np.count_nonzero(labels[1:] == labels[:-1])
        if len(labels) + repeats > len(log_probs):
            # The search joins paths, so that a part of one need not be a path.
            return entered, entered
        scores = np.maximum(log_probs, _IMPROBABLE)
        cuts = cut_frames(quiet, *_PART_FRAMES)
        return align_in_parts(scores, labels, entered, cuts, self._blank, self._space)

    def tokens(
        self,
        log_probs: npt.NDArray[np.floating[Any]],
        labels: npt.NDArray[np.int64],
        first: Frames,
        last: Frames,
        seconds_per_frame: float,
        offset: int = 0,
    ) -> tuple[Token, ...]:
        """The characters of the words that were spoken.

        log_probs: natural logarithms [frames, classes].
        labels, first, last: as `align` takes and gives them [labels].
        offset: frames before these, for the times.
        """
        kept = spoken(
            np.maximum(log_probs, _IMPROBABLE),
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
