"""Greedy decoding of one sentence after another, of which there may be no end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding import WORD_BOUNDARY, greedy_decode, greedy_text
from asr_runtime.sentence_search import Partial
from asr_runtime.transcript import Token


class GreedySentence:
    """`greedy_decode` for frames that come piece by piece; see `SentenceSearch`."""

    def __init__(self, vocabulary: Sequence[str], blank_id: int, seconds_per_frame: float) -> None:
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
        """The text so far, none of which changes any more."""
        text = greedy_text(self._joined(), self._vocabulary, self._blank)
        return Partial(text, text)

    def end(self) -> tuple[Token, ...]:
        """The sentence that ends here."""
        return self._cut(self.frames - self.begin)

    def split(self) -> tuple[Token, ...]:
        """The sentence up to the last word boundary or else blank in its last two thirds."""
        path = self._joined().argmax(axis=1)
        path[: len(path) // 3] = -1
        spaces = [k for k, text in enumerate(self._vocabulary) if text == WORD_BOUNDARY]
        for label in (*spaces, self._blank):
            found = np.flatnonzero(path == label)
            if len(found):
                return self._cut(int(found[-1]))
        return self.end()

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
