"""A corpus as rows of the model's table of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.word_table import WordTable
from asr_train.punctuation.corpus import AnnotatedCorpus
from asr_train.punctuation.word_counts import WordCounts


@dataclass(frozen=True)
class EncodedText:
    """A text as the network learns from it; arrays of shape [words].

    Attributes:
        rows: Row of each word in the table of embeddings.
        signs: Value of `Sign`.
        cases: Value of `Case`.
        unknown_rows: Row that each word of the table, or name, would have if it were unknown;
            indexed by row, of shape [rows].
    """

    rows: npt.NDArray[np.uint16]
    signs: npt.NDArray[np.uint8]
    cases: npt.NDArray[np.uint8]
    unknown_rows: npt.NDArray[np.uint16]


def encode(
    corpus: AnnotatedCorpus, table: WordTable, further: WordCounts | None = None
) -> EncodedText:
    """Look a corpus's words up.

    Words of one book alone are encoded as if they were in no list, because those of a book that is
    new to the model are not, and the model should learn how often such words are names.

    Args:
        corpus: Any corpus.
        table: The words that the model knows.
        further: Words of more texts that the table was made of.

    Returns:
        The text. Capitals for emphasis become what the word is elsewhere: words are in capitals
        only if most of their occurrences are, as in initials and Roman numerals.
    """
    tokens, signs, cases = corpus.arrays()
    types = list(corpus.types)
    rows = np.array([table.row(word) for word in types], np.uint16)[tokens]
    _forget_words_of_one_book(rows, corpus, table, further)
    upper = np.bincount(tokens[cases == Case.UPPER], minlength=len(types))
    lower = np.bincount(tokens[cases == Case.LOWER], minlength=len(types))
    totals = np.bincount(tokens, minlength=len(types))
    is_upper = 2 * upper > totals
    plain = np.where(2 * lower > totals - upper, Case.LOWER, Case.CAPITALISED).astype(np.uint8)
    starts = np.concatenate([[True], signs[:-1] >= Sign.FULL_STOP])
    emphasised = (cases == Case.UPPER) & ~is_upper[tokens]
    new_cases = cases.copy()
    new_cases[emphasised] = plain[tokens[emphasised]]
    new_cases[emphasised & starts] = Case.CAPITALISED
    return EncodedText(rows, signs, new_cases, _unknown_rows(table))


def _forget_words_of_one_book(
    rows: npt.NDArray[np.uint16],
    corpus: AnnotatedCorpus,
    table: WordTable,
    further: WordCounts | None,
) -> None:
    """Replace the rows [words] of words that occur in no other book by rows of unknown words."""
    tokens, _, _ = corpus.arrays()
    types = list(corpus.types)
    if further is None:
        further = WordCounts()
        if corpus.books == 1:
            return
    counts = np.bincount(tokens, minlength=len(types))
    elsewhere = [further.lower[word] + further.capitalised[word] for word in types]
    counts = counts + np.array(elsewhere, np.int64)
    unknown = np.array(
        [table.unknown_row(word, is_name=len(table.rare) > 0) for word in types], np.uint16
    )
    start = 0
    for end in corpus.book_ends:
        book = tokens[start:end]
        distinct, inside = np.unique(book, return_counts=True)
        alone = np.zeros(len(types), bool)
        alone[distinct] = counts[distinct] == inside
        forgotten = alone[book] & (rows[start:end] >= len(table.words))
        rows[start:end][forgotten] = unknown[book[forgotten]]
        start = end


def _unknown_rows(table: WordTable) -> npt.NDArray[np.uint16]:
    unknown = np.arange(table.rows, dtype=np.uint16)
    for row, word in enumerate(table.words):
        unknown[row] = table.unknown_row(word.lower(), is_name=False)
    # Names that are not in the table lose their mark.
    suffix_rows = (table.rows - len(table.words)) // 2
    unknown[len(table.words) + suffix_rows :] -= suffix_rows
    return unknown
