"""Books as arrays of annotated words, divided into those to learn from and those kept apart."""

from __future__ import annotations

import gzip
import lzma
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from asr_runtime.readable_text.annotation import Case, Sign
from asr_train.errors import DataError
from asr_train.punctuation.annotated_text import annotate, paragraphs

_TITLE_CHARACTERS = 2000
"""Characters of a book's beginning whose checksum decides whether it is kept apart."""

BOOK_SEPARATOR = "\f"


@dataclass
class AnnotatedCorpus:
    """All words of some books, one after the other.

    Attributes:
        types: Number of each distinct word.
        words: Number of each word in the text.
        signs: Value of `Sign` of each word.
        cases: Value of `Case` of each word.
        capitalised: How often a word has a capital letter within a sentence, by written form.
        book_ends: Number of words up to the end of each book.
    """

    types: dict[str, int] = field(default_factory=dict)
    words: array[int] = field(default_factory=lambda: array("i"))
    signs: bytearray = field(default_factory=bytearray)
    cases: bytearray = field(default_factory=bytearray)
    capitalised: Counter[str] = field(default_factory=Counter)
    book_ends: list[int] = field(default_factory=list)

    @property
    def books(self) -> int:
        """Return how many books were read."""
        return len(self.book_ends)

    def add(self, book: str) -> None:
        """Append the words of a book."""
        types = self.types
        for paragraph in paragraphs(book):
            found = annotate(paragraph)
            self.words.extend([types.setdefault(word, len(types)) for word in found.words])
            self.signs.extend(found.signs)
            self.cases.extend(found.cases)
            self.capitalised.update(
                [
                    written
                    for written, case, before in zip(
                        found.written[1:], found.cases[1:], found.signs, strict=False
                    )
                    if case != Case.LOWER and before < Sign.FULL_STOP
                ]
            )
        self.book_ends.append(len(self.words))

    def __len__(self) -> int:
        return len(self.words)

    def arrays(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Return words, signs and cases, each of shape [words]."""
        return (
            np.frombuffer(self.words, np.int32),
            np.frombuffer(self.signs, np.uint8),
            np.frombuffer(self.cases, np.uint8),
        )


def read_books(paths: list[Path]) -> Iterator[str]:
    """Read the books of text files.

    Args:
        paths: UTF-8 text, plain, ``.xz`` or ``.gz``. A file is one book, or several with a form
            feed after each. In a folder, all its ``.txt`` files, and those packed.

    Yields:
        The text of each book.

    Raises:
        DataError: A file cannot be read or is not UTF-8, or a folder has no texts.
    """
    for path in paths:
        files = sorted(_texts_in(path)) if path.is_dir() else [path]
        if not files:
            raise DataError(f"{path}: holds no .txt, .txt.xz or .txt.gz files")
        for file in files:
            yield from (book for book in _read(file).split(BOOK_SEPARATOR) if book.strip())


def is_held_out(book: str, one_in: int) -> bool:
    """Tell whether a book is kept apart; depends on its beginning alone.

    Args:
        book: Its text.
        one_in: One book in so many is kept apart; 0 for none.
    """
    if not one_in:
        return False
    return crc32(book.strip()[:_TITLE_CHARACTERS].encode()) % one_in == 0


def read_corpus(
    paths: list[Path],
    held_out_one_in: int,
    max_words: int | None = None,
    progress: Callable[[int], object] = lambda words: None,
) -> AnnotatedCorpus:
    """Read the books to learn from.

    Args:
        paths: As in `read_books`.
        held_out_one_in: One book in so many is left out; 0 for none.
        max_words: Stop after so many words.
        progress: Called after each book with the words so far.

    Returns:
        Their words.

    Raises:
        DataError: As `read_books`; or there is nothing to learn from.
    """
    corpus = AnnotatedCorpus()
    for book in read_books(paths):
        if is_held_out(book, held_out_one_in):
            continue
        corpus.add(book)
        progress(len(corpus))
        if max_words is not None and len(corpus) >= max_words:
            break
    if not len(corpus):
        raise DataError(
            "the texts hold no sentences with signs and capital letters to learn from; give texts "
            "as they are printed, not as a recogniser writes them"
        )
    return corpus


def _texts_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name.endswith((".txt", ".txt.xz", ".txt.gz")):
            yield path


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if path.suffix == ".xz":
            content = lzma.decompress(content)
        elif path.suffix == ".gz":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a UTF-8 text file; convert it first") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot read the text: {reason}") from None
