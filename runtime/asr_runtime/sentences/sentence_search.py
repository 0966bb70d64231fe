"""What `SentenceDecoder` asks of a search, which may be greedy or a beam search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from asr_runtime.timed_text import Token


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known of a sentence that is being spoken.

    Attributes:
        text: The text as it looks now.
        stable: The part of it, from its beginning, that will not change: every later ``text`` of
            the sentence, the finished one included, begins with it.
    """

    text: str
    stable: str


class SentenceSearch(Protocol):
    """A search of endless frames, one sentence after another.

    Attributes:
        begin: First frame of the sentence, counted from the first frame of all.
        frames: Number of frames of all sentences.
    """

    begin: int
    frames: int

    def advance(self, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames; their division makes no difference.

        Args:
            log_probs: Natural-log probabilities [frames, columns of the heads].
        """

    def partial(self) -> Partial:
        """Return what is known of the sentence."""

    def end(self) -> tuple[Token, ...]:
        """Return the tokens of the sentence that ends here. The next begins."""

    def split(self) -> tuple[Token, ...]:
        """Return the tokens of a sentence that ends at a word boundary in its last two thirds.

        The frames after it are carried on as the next sentence; without a boundary all is the
        sentence.
        """
