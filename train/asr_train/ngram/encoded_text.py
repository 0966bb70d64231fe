"""A text as numbers in a file, 4 bytes a word and then 2, so that it is read only once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import BOUNDARY, FIRST_WORD, UNKNOWN
from asr_train.ngram.vocabulary import (
    SENTENCE_END,
    Ids,
    Vocabulary,
    split_words,
    without_empty_sentences,
)

_PIECE = 1 << 24

Item = TypeVar("Item")


class WordNumbers(dict[bytes, int]):
    """Numbers of words, in the order in which they first occur; SENTENCE_END is 0."""

    def __init__(self) -> None:
        super().__init__({SENTENCE_END: 0})

    def __missing__(self, word: bytes) -> int:
        number = self[word] = len(self)
        return number


class NumberedText:
    """A text's words in a file, as numbers of 32 bits.

    Attributes:
        frequencies: int64 [words], how often each number occurs.
    """

    def __init__(self, path: Path, blocks: Iterable[bytes], numbers: WordNumbers) -> None:
        """Number all words of some blocks of whole lines; `numbers` grows."""
        self._path = path
        with path.open("wb") as file:
            for block in read_ahead(blocks):
                words = split_words(block)
                np.fromiter(map(numbers.__getitem__, words), np.uint32, len(words)).tofile(file)
        self.frequencies = np.zeros(len(numbers), np.int64)
        for piece in self._pieces():
            self.frequencies += np.bincount(piece, minlength=len(numbers))

    def encode(self, vocabulary: Vocabulary, numbers: WordNumbers, path: Path) -> Ids:
        """Write ids [words] as ``Vocabulary.encode`` has them to a file, and delete this one."""
        table = np.full(len(numbers), UNKNOWN, np.uint16)
        table[numbers[SENTENCE_END]] = BOUNDARY
        known = [numbers[word] for word in vocabulary.words if word in numbers]
        ids = [i for i, word in enumerate(vocabulary.words, FIRST_WORD) if word in numbers]
        table[known] = ids
        before = np.array([BOUNDARY], np.uint16)
        with path.open("wb") as file:
            before.tofile(file)
            for piece in self._pieces():
                encoded = np.concatenate([before, table[piece]])
                without_empty_sentences(encoded)[1:].tofile(file)
                before = encoded[-1:]
        self._path.unlink()
        return np.memmap(path, np.uint16, "r")

    def _pieces(self) -> Iterator[npt.NDArray[np.uint32]]:
        with self._path.open("rb") as file:
            while len(piece := np.fromfile(file, np.uint32, _PIECE)):
                yield piece


def read_ahead(items: Iterable[Item], number: int = 2) -> Iterator[Item]:
    """The same items, made by another thread before they are needed."""
    made: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(number)
    stop = threading.Event()

    def put(entry: tuple[Item] | BaseException | None) -> None:
        while not stop.is_set():
            try:
                return made.put(entry, timeout=0.1)
            except queue.Full:
                continue

    def make() -> None:
        try:
            for item in items:
                put((item,))
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # raised again where the items are used
            put(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (entry := made.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        stop.set()
        thread.join()
