"""What a model gives for each frame: letters, and where it has a second head, phonemes beside them.

Both stand in one row, so that whatever cuts frames and joins them again need not know of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language import phonemes

Rows = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Heads:
    """The columns of rows of log-probabilities.

    letters: classes of the vocabulary, which come first; `letter_blank` is their blank.
    phonemes: whether those of the phonemes follow, the blank the last.
    """

    letters: int
    letter_blank: int
    phonemes: bool = False

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.letters + (phonemes.BLANK + 1 if self.phonemes else 0)

    @property
    def blank(self) -> int:
        """The blank's column among those that are `heard`."""
        return phonemes.BLANK if self.phonemes else self.letter_blank

    def heard(self, rows: Rows) -> Rows:
        """What the decoder searches: the phonemes, or the letters if there are none."""
        return rows[:, self.letters :] if self.phonemes else rows

    def spelled(self, rows: Rows) -> Rows:
        """The letters."""
        return rows[:, : self.letters]

    def check(self, rows: Rows) -> None:
        """Raise ValueError unless rows are [frames, `width`]."""
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise ValueError(f"log_probs must be [frames, {self.width}], not {list(rows.shape)}")
