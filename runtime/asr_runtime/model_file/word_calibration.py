"""What was measured about a model's words: how late their times are, and how sure it should be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from asr_runtime.errors import ModelFileError

MAX_SHIFT_SECONDS = 1.0
MAX_COEFFICIENT = 100.0

_MAX_ODDS = 700.0  # whose exponential is still a number

DECODERS = ("phonemes", "letters", "greedy")
"""Ways to decode; each has a calibration of its own, because each errs in its own way."""


@dataclass(frozen=True)
class WordCalibration:
    """Corrections of a word's times and confidence, fitted on recordings with known text.

    A CTC model emits a label late and for a short time (Sak et al. 2015, arXiv:1507.06947), by
    about the same time for every word. The confidence of a word is mapped by logistic regression to
    the probability that the word is right (Platt 1999). What the language model says of a word, and
    of the next one after it, and the number of its letters are further inputs of the regression:
    of two words that sound alike, the one that is to be expected is right more often, and a long
    word is seldom heard by mistake.

    Attributes:
        start_shift: Seconds to add to a word's start.
        end_shift: Seconds to add to its end.
        confidence_intercept: Log-odds of a right word whose uncalibrated confidence is one half.
        confidence_slope: Factor of the log-odds of the uncalibrated confidence.
        language_slope: Factor of the word's log-probability after the words before it, in nats.
        next_slope: Factor of the next word's.
        letters_slope: Factor of the number of its letters.
    """

    start_shift: float = 0.0
    end_shift: float = 0.0
    confidence_intercept: float = 0.0
    confidence_slope: float = 1.0
    language_slope: float = 0.0
    next_slope: float = 0.0
    letters_slope: float = 0.0

    @property
    def asks_language(self) -> bool:
        """Whether log-probabilities of words are needed."""
        return self.language_slope != 0 or self.next_slope != 0

    def probability(
        self, confidence: float, log_prob: float = 0.0, next_log_prob: float = 0.0, letters: int = 0
    ) -> float:
        """Map a confidence to the probability that the word is right.

        Args:
            confidence: 0 to 1, uncalibrated.
            log_prob: The word's log-probability by the language model, in nats.
            next_log_prob: The next word's; 0 after the last word.
            letters: How many letters the word has.

        Returns:
            The probability, 0 to 1.
        """
        clipped = min(max(confidence, 1e-6), 1.0 - 1e-6)
        odds = (
            self.confidence_intercept
            + self.confidence_slope * math.log(clipped / (1.0 - clipped))
            + self.language_slope * log_prob
            + self.next_slope * next_log_prob
            + self.letters_slope * letters
        )
        return 1.0 / (1.0 + math.exp(-min(max(odds, -_MAX_ODDS), _MAX_ODDS)))

    def to_dict(self) -> dict[str, float]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> WordCalibration:
        """Read the fields; what is not there has its default.

        Raises:
            ModelFileError: A value is not a number, or is far too large.
        """
        numbers = {}
        for name in cls.__dataclass_fields__:
            value = values.get(name, getattr(cls, name))
            limit = MAX_SHIFT_SECONDS if name.endswith("shift") else MAX_COEFFICIENT
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not abs(value) <= limit:
                raise ModelFileError(
                    f"its model card's calibration has {name!r} {value!r:.40}, which should be a "
                    f"number from {-limit:g} to {limit:g}; calibrate it again"
                )
            numbers[name] = float(value)
        return cls(**numbers)


def calibrations_from_card(values: object) -> dict[str, WordCalibration]:
    """Read the card's ``calibration``: an object for each of `DECODERS` that was calibrated.

    Raises:
        ModelFileError: It is something else.
    """
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(one, dict) for one in values.values()):
        raise ModelFileError("its model card's calibration is no table; calibrate it again")
    return {
        name: WordCalibration.from_dict(one) for name, one in values.items() if name in DECODERS
    }
