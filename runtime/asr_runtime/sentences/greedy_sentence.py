"""Greedy decoding of one sentence after another, of which there may be no end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.greedy import WORD_BOUNDARY, greedy_decode, greedy_text
from asr_runtime.sentences.sentence_search import Partial
from asr_runtime.timed_text import Token


class GreedySentence:
    """`greedy_decode` for frames that come some at a time; see `SentenceSearch`.

    Attributes:
        begin: First frame of the sentence, counted from the first frame of all.
        frames: Number of frames of all sentences.
    """

    def __init__(self, vocabulary: Sequence[str], blank_id: int, seconds_per_frame: float) -> None:
        """Begin before the first frame.

        Args:
            vocabulary: Text of each class.
            blank_id: The blank's class.
            seconds_per_frame: How far apart frames are.
        """
        self._vocabulary = vocabulary
        self._blank = blank_id
        self._seconds = seconds_per_frame
        self._pieces = [np.zeros((0, len(vocabulary)), np.float32)]
        self.begin = 0
        self.frames = 0

    def advance(self, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Take the next frames [frames, classes]."""
        self._pieces.append(log_probs)
        self.frames += len(log_probs)

    def partial(self) -> Partial:
        """Return the text so far; complete words are stable, `split` may carry on the last."""
        log_probs = self._joined()
        spaces = self._spaces(log_probs)
        stable = log_probs[: spaces[-1]] if len(spaces) else log_probs[:0]
        return Partial(
            greedy_text(log_probs, self._vocabulary, self._blank),
            greedy_text(stable, self._vocabulary, self._blank),
        )

    def end(self) -> tuple[Token, ...]:
        """Return the sentence that ends here."""
        return self._cut(self.frames - self.begin)

    def split(self) -> tuple[Token, ...]:
        """Return the sentence up to the last word boundary or else blank in its last two thirds."""
        log_probs = self._joined()
        for places in (self._spaces(log_probs), self._frames_of(log_probs, self._blank)):
            if len(places) and places[-1] >= len(log_probs) // 3:
                return self._cut(int(places[-1]))
        return self.end()

    def _spaces(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
        if WORD_BOUNDARY not in self._vocabulary:
            return np.zeros(0, np.int64)
        return self._frames_of(log_probs, self._vocabulary.index(WORD_BOUNDARY))

    def _frames_of(
        self, log_probs: npt.NDArray[np.floating[Any]], label: int
    ) -> npt.NDArray[np.int64]:
        """Return the frames in which a label is the best, int64 [found]."""
        return np.flatnonzero(log_probs.argmax(axis=1) == label)

    def _cut(self, frame: int) -> tuple[Token, ...]:
        log_probs = self._joined()
        found = greedy_decode(log_probs[:frame], self._vocabulary, self._blank, 1.0)
        begin = self.begin
        self.begin += frame
        self._pieces = [log_probs[frame:].copy()]
        return tuple(
            replace(
                token,
                start=(token.start + begin) * self._seconds,
                end=(token.end + begin) * self._seconds,
            )
            for token in found.tokens
        )

    def _joined(self) -> npt.NDArray[np.floating[Any]]:
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0]
