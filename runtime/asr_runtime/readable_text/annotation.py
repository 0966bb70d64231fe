"""What the punctuation model says about a word: the sign after it and the case of its letters."""

from enum import IntEnum


class Sign(IntEnum):
    """The sign after a word; the values are the classes of the model's output."""

    NONE = 0
    COMMA = 1
    FULL_STOP = 2
    QUESTION_MARK = 3

    @property
    def mark(self) -> str:
        """Return the sign as it is printed, an empty string for none."""
        return ("", ",", ".", "?")[self]

    @property
    def ends_sentence(self) -> bool:
        """Tell whether a sentence ends at the sign."""
        return self >= Sign.FULL_STOP


class Case(IntEnum):
    """The case of a word's letters; the values are the classes of the model's output."""

    LOWER = 0
    CAPITALISED = 1
    UPPER = 2
