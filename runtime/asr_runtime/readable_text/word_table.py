"""The words that a punctuation model knows, as the rows of its table of embeddings."""

from __future__ import annotations

from zlib import crc32

from asr_runtime.readable_text.hashed_words import HashedWords

SUFFIX_ROWS = 512
"""Rows that unknown words share by their endings; once for names, once for all others."""

_SUFFIX_LETTERS = 3


class WordTable:
    """Finds the row of a word and how it is usually written.

    Loading takes little time, because the lists of words without rows are not taken apart: names
    stay one string that is searched when a word has no row, and rare words a `HashedWords`.

    Args:
        words: The words with rows of their own, in the order of the rows, with spaces between
            them; each as it is usually written within sentences (``London``, ``McDonald``). ASCII.
        names: Further words that are usually written with a capital letter, in the same form.
        rare: Further words that are no names. If there are any, a word that is in none of the three
            lists counts as a name, because most words that no book has used are.
    """

    def __init__(self, words: str, names: str, rare: HashedWords | None = None) -> None:
        self.words = words.split()
        self._rows = dict(zip(words.lower().split(), range(len(self.words)), strict=True))
        self._names = f" {names} "
        self._lower_names = self._names.lower()
        self.rare = HashedWords.of(()) if rare is None else rare

    @property
    def names(self) -> list[str]:
        """Return the names."""
        return self._names.split()

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
        stem = word.removesuffix("'s")
        if self._name(word) is not None or self._name(stem) is not None:
            return True
        row = self._rows.get(stem)
        if row is not None:
            return not self.words[row].islower()
        return len(self.rare) > 0 and word not in self.rare and stem not in self.rare

    def capitalised(self, word: str) -> str:
        """Return a word with the capital letters that it has as a name.

        Args:
            word: In lower case.
        """
        stem = word.removesuffix("'s")
        for known in (word, stem):
            row = self._rows.get(known)
            written = self._name(known) if row is None else self.words[row]
            if written is not None and written != known:
                return written + word[len(known) :]
        return word[:1].upper() + word[1:]

    def _name(self, word: str) -> str | None:
        """Return a name as it is written, or None if it is none."""
        at = self._lower_names.find(f" {word} ") + 1
        return self._names[at : at + len(word)] if at else None
