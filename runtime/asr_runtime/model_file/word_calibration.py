"""What was measured about a model's words: how late their times are, and how sure it should be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from asr_runtime.errors import ModelFileError

MAX_SHIFT_SECONDS = 1.0
MAX_COEFFICIENT = 100.0

DECODERS = ("phonemes", "letters", "greedy")
"""Ways to decode; each has a calibration of its own, because each errs in its own way."""


@dataclass(frozen=True)
class WordCalibration:
    """Corrections of a word's times and confidence, fitted on recordings with known text.

    A CTC model emits a label late and for a short time (Sak et al. 2015, arXiv:1507.06947), by
    about the same time for every word. The confidence of a word is mapped by logistic regression to
    the probability that the word is right (Platt 1999).

    Attributes:
        start_shift: Seconds to add to a word's start.
        end_shift: Seconds to add to its end.
        confidence_intercept: Log-odds of a right word whose uncalibrated confidence is one half.
        confidence_slope: Factor of the log-odds of the uncalibrated confidence.
    """

    start_shift: float = 0.0
    end_shift: float = 0.0
    confidence_intercept: float = 0.0
    confidence_slope: float = 1.0

    def probability(self, confidence: float) -> float:
        """Map a confidence, 0 to 1, to the probability that the word is right."""
        clipped = min(max(confidence, 1e-6), 1.0 - 1e-6)
        odds = math.log(clipped / (1.0 - clipped))
        return 1.0 / (1.0 + math.exp(-self.confidence_intercept - self.confidence_slope * odds))

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
