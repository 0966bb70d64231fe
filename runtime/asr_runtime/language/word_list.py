"""The words of a vocabulary in one piece, because as strings they take eight times the memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt


class WordList(Sequence[str]):
    """Words in the order they are given in, each made a string when it is asked for."""

    def __init__(self, text: bytes) -> None:
        """Find where the words begin.

        Args:
            text: The words in UTF-8, joined by newlines; there is at least one word, which may be
                empty.
        """
        self._text = text
        newlines = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
        # Of each word, and of one after the last.
        self._begins: npt.NDArray[np.int32] = np.empty(len(newlines) + 2, np.int32)
        self._begins[0] = 0
        self._begins[1:-1] = newlines + 1
        self._begins[-1] = len(text) + 1

    @classmethod
    def of(cls, words: Iterable[str]) -> WordList:
        """Make a list of one or more words without newlines."""
        return cls("\n".join(words).encode("utf-8"))

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self._begins) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Return a word by its number, or several."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"there is no word {index} of {len(self)}")
        return self._text[self._begins[index] : self._begins[index + 1] - 1].decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        """Make all words strings, which is quicker at once than one by one."""
        return iter(self._text.decode("utf-8").split("\n"))

    def __eq__(self, other: object) -> bool:
        """Return whether both are lists of the same words in the same order."""
        return isinstance(other, WordList) and self._text == other._text

    def __hash__(self) -> int:
        """Return a number that is the same for equal lists."""
        return hash(self._text)
