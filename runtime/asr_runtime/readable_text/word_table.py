"""The words that a punctuation model knows, as the rows of its table of embeddings."""

from collections.abc import Iterable, Sequence
from zlib import crc32

SUFFIX_ROWS = 512
"""Rows that unknown words share by their endings; once for names, once for all others."""

_SUFFIX_LETTERS = 3


class WordTable:
    """Finds the row of a word and how it is usually written.

    Args:
        words: The words with rows of their own, in the order of the rows; each in lower case, or
            as it is written if it has capitals in the middle (``McDonald``).
        names: Further words that are usually written with a capital letter.
    """

    def __init__(self, words: Sequence[str], names: Iterable[str]) -> None:
        self._rows = {word.lower(): row for row, word in enumerate(words)}
        names = list(names)
        self._names = {name.lower() for name in names}
        self._written = {
            word.lower(): word for word in (*words, *names) if word[1:] != word[1:].lower()
        }
        self.words = tuple(words)
        self.names = tuple(names)

    @property
    def rows(self) -> int:
        """Return the number of rows of the table of embeddings."""
        return len(self._rows) + 2 * SUFFIX_ROWS

    def row(self, word: str) -> int:
        """Return the row of a word.

        Args:
            word: In lower case.
        """
        known = self._rows.get(word)
        return self.unknown_row(word, self.is_name(word)) if known is None else known

    def unknown_row(self, word: str, is_name: bool) -> int:
        """Return the row that a word would have without one of its own.

        Args:
            word: In lower case.
            is_name: Whether it counts as usually capitalised.
        """
        suffix = crc32(word[-_SUFFIX_LETTERS:].encode()) % SUFFIX_ROWS
        return len(self._rows) + SUFFIX_ROWS * is_name + suffix

    def is_name(self, word: str) -> bool:
        """Tell whether a word without a row, or what it is the possessive of, is a name."""
        return word in self._names or word.removesuffix("'s") in self._names

    def capitalised(self, word: str) -> str:
        """Return a word with the capital letters that it has as a name.

        Args:
            word: In lower case.
        """
        stem = word.removesuffix("'s")
        written = self._written.get(word) or self._written.get(stem)
        if written is None:
            return word[:1].upper() + word[1:]
        return written if written.lower() == word else written + "'s"
