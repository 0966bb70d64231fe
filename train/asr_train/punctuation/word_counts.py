"""How often words are written with and without a capital letter, in more text than is learned from.

To count words takes a hundredth of the time of learning from them, and a word that was seen once
anywhere is told from a name.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from asr_train.punctuation.corpus import is_held_out, read_books

_LOWER = re.compile(r"(?<![A-Za-z'])[a-z]+(?:'[a-z]+)*(?![A-Za-z'])")
_CAPITALISED = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+(?:'[A-Za-z]+)*(?![A-Za-z'])")
"""Words with a capital letter within sentences; headings and emphasis in capitals are none."""


@dataclass
class WordCounts:
    """Counts of words as they are written.

    Attributes:
        lower: How often a word has no capital letter.
        capitalised: How often it has one within a sentence; in lower case.
    """

    lower: Counter[str] = field(default_factory=Counter)
    capitalised: Counter[str] = field(default_factory=Counter)

    def add(self, book: str) -> None:
        """Count the words of a book."""
        plain = book.replace("\u2019", "'")
        self.lower.update(_LOWER.findall(plain))
        self.capitalised.update([word.lower() for word in _CAPITALISED.findall(plain)])

    def is_name(self, word: str) -> bool:
        """Tell whether a word has a capital letter more often than not."""
        return self.capitalised[word] > self.lower[word]


def count_words(paths: list[Path], held_out_one_in: int) -> WordCounts:
    """Count the words of all books but those that are kept apart.

    Args:
        paths: As in `read_books`.
        held_out_one_in: One book in so many is left out; 0 for none.

    Returns:
        The counts.

    Raises:
        DataError: As `read_books`.
    """
    counts = WordCounts()
    for book in read_books(paths):
        if not is_held_out(book, held_out_one_in):
            counts.add(book)
    return counts
