"""What a model gives for each frame: letters, and phonemes beside them if it has a second head.

Both stand in one row, so that whatever cuts frames and joins them again need not know of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language import phonemes

Rows = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Heads:
    """The columns of rows of log-probabilities.

    Attributes:
        letters: Number of classes of the vocabulary, which come first.
        letter_blank: Their blank's class.
        phonemes: Whether classes of phonemes follow, the blank the last.
    """

    letters: int
    letter_blank: int
    phonemes: bool = False

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.letters + (phonemes.BLANK + 1 if self.phonemes else 0)

    @property
    def blank(self) -> int:
        """Column of the blank among those that `heard` returns."""
        return phonemes.BLANK if self.phonemes else self.letter_blank

    def heard(self, rows: Rows) -> Rows:
        """Return what the decoder searches: the columns of the phonemes, or else of the letters.

        Args:
            rows: Log-probabilities [frames, width].

        Returns:
            A view [frames, classes].
        """
        return rows[:, self.letters :] if self.phonemes else rows

    def spelled(self, rows: Rows) -> Rows:
        """Return the letters' columns.

        Args:
            rows: Log-probabilities [frames, width].

        Returns:
            A view [frames, letters].
        """
        return rows[:, : self.letters]

    def check(self, rows: Rows) -> None:
        """Check the shape of rows.

        Args:
            rows: Log-probabilities.

        Raises:
            ValueError: The shape is not [frames, width].
        """
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise ValueError(f"log_probs must be [frames, {self.width}], not {list(rows.shape)}")
