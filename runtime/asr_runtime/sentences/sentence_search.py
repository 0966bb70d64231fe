"""What `SentenceDecoder` asks of a search, which may be greedy or a beam search."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from asr_runtime.transcript import Token


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known of a sentence that is being spoken.

    text: as it looks now.
    stable: the part of it, from its beginning, that will not change: every later `text` of the
        sentence, the finished one included, begins with it.
    """

    text: str
    stable: str


class SentenceSearch(Protocol):
    """A search of endless frames, one sentence after another.

    begin: the first frame of the sentence, counted from the first frame of all.
    frames: how many there were, of all sentences.
    """

    begin: int
    frames: int

    def advance(self, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames [frames, classes]; the division of frames makes no difference."""

    def partial(self) -> Partial:
        """What is known of the sentence."""

    def end(self) -> tuple[Token, ...]:
        """The sentence that ends here. The next begins."""

    def split(self) -> tuple[Token, ...]:
        """The sentence that ends at a word boundary in its last two thirds, if there is one.

        The frames after it are carried on as the next sentence; without one all is the sentence.
        """
