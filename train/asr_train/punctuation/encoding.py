"""Which words a model knows, and a corpus as rows of the model's table of embeddings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.word_table import WordTable
from asr_train.punctuation.corpus import AnnotatedCorpus

_LEAST_COUNT = 4


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


def choose_words(corpus: AnnotatedCorpus, words: int, names: int, rare: int = 0) -> WordTable:
    """Choose the words that a model knows.

    Args:
        corpus: What it learns from.
        words: How many of the most frequent get rows of their own.
        names: How many further names to tell from other unknown words.
        rare: How many further words to know as no names.

    Returns:
        The table. A name is a word that has a capital letter within sentences more often than not.
    """
    tokens, _, cases = corpus.arrays()
    types = list(corpus.types)
    totals = np.bincount(tokens, minlength=len(types))
    lower = np.bincount(tokens[cases == Case.LOWER], minlength=len(types))
    forms: dict[str, tuple[int, str]] = {}
    capitals: Counter[str] = Counter()
    for written, count in corpus.capitalised.items():
        word = written.lower()
        capitals[word] += count
        if written[1:] != word[1:]:
            forms[word] = max(forms.get(word, (0, "")), (count, written))
    order = np.argsort(-totals, kind="stable")
    known: list[str] = []
    others: list[str] = []
    ordinary: list[str] = []
    for index in order:
        word = types[index]
        is_name = capitals[word] > lower[index]
        count, written = forms.get(word, (0, ""))
        has_form = is_name and 2 * count > capitals[word] and not written.isupper()
        entry = written if has_form else word
        if len(known) < words:
            known.append(entry)
        elif totals[index] < _LEAST_COUNT:
            break
        elif not is_name and len(ordinary) < rare:
            ordinary.append(word)
        elif is_name and len(others) < names and not word.endswith("'s"):
            others.append(entry)
    return WordTable(" ".join(known), " ".join(others), " ".join(ordinary))


def encode(corpus: AnnotatedCorpus, table: WordTable) -> EncodedText:
    """Look a corpus's words up.

    Args:
        corpus: Any corpus.
        table: The words that the model knows.

    Returns:
        The text. Capitals for emphasis become what the word is elsewhere: words are in capitals
        only if most of their occurrences are, as in initials and Roman numerals.
    """
    tokens, signs, cases = corpus.arrays()
    types = list(corpus.types)
    rows = np.array([table.row(word) for word in types], np.uint16)
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
    return EncodedText(rows[tokens], signs, new_cases, _unknown_rows(table))


def _unknown_rows(table: WordTable) -> npt.NDArray[np.uint16]:
    unknown = np.arange(table.rows, dtype=np.uint16)
    for row, word in enumerate(table.words):
        unknown[row] = table.unknown_row(word.lower(), is_name=False)
    # Names that are not in the table lose their mark.
    suffix_rows = (table.rows - len(table.words)) // 2
    unknown[len(table.words) + suffix_rows :] -= suffix_rows
    return unknown
