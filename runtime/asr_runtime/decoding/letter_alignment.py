"""From the letters that a search found to the characters of the text, with times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.alignment import Frames, align_in_parts, cut_frames, spoken_labels
from asr_runtime.decoding.greedy import mean_probability
from asr_runtime.timed_text import Token

# Frames aligned at a time: at least, where there is a pause, and at most.
PART_FRAMES = (150, 600)
IMPROBABLE = -1e4


@dataclass(frozen=True)
class AlignedLabels:
    """Labels and when each was spoken.

    Attributes:
        labels: Classes, int64 [labels].
        first: First frame of each, int64 [labels].
        last: Last frame of each, int64 [labels].
    """

    labels: npt.NDArray[np.int64]
    first: Frames
    last: Frames

    def before(self, place: int) -> AlignedLabels:
        """Return the labels before one of them."""
        return AlignedLabels(self.labels[:place], self.first[:place], self.last[:place])


class TokenAligner:
    """Finds when labels were spoken, leaves out those of words that were not, and writes tokens."""

    def __init__(
        self, vocabulary: Sequence[str], blank: int, space: int, silence_threshold: float
    ) -> None:
        """Take what all utterances have in common.

        Args:
            vocabulary: Text of each class.
            blank: The blank's class.
            space: The space's class.
            silence_threshold: Nats by which blanks must be the more probable for a word to be left
                out.
        """
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
        """Find the first and last frame of each label.

        Args:
            log_probs: Natural-log probabilities [frames, classes].
            labels: The labels of a `BestPath`, int64 [labels].
            start_frames: Its start frames, counted from the first of these frames, int64 [labels].
            blank_frames: What `BeamSearch.blank_frames` returned for them, bool [frames].

        Returns:
            The labels with their frames.
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
        """Write the characters of the words that were spoken.

        Args:
            log_probs: Natural-log probabilities [frames, classes].
            aligned: What `align` returned for them.
            seconds_per_frame: How far apart frames are.
            offset: Frames before these, for the times.
            previous: Token before these; of no importance here.

        Returns:
            Tokens in order.
        """
        labels, first, last = aligned.labels, aligned.first, aligned.last
        kept = spoken_labels(
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
