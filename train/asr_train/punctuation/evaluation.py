"""How well a punctuation model does: F1 of each sign and of capital letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from asr_runtime.readable_text.annotation import Sign
from asr_runtime.readable_text.punctuation_model import PunctuationModel
from asr_runtime.readable_text.punctuator import punctuate
from asr_train.errors import DataError
from asr_train.punctuation.annotated_text import AnnotatedWords, annotate, paragraphs

_SPAN_PARAGRAPHS = 50
"""Paragraphs that are punctuated as one text, so that a model sees over their ends."""


@dataclass
class Counts:
    """Decisions of one kind.

    Attributes:
        right: Made, and in the text.
        wrong: Made, and not in the text.
        missed: In the text, and not made.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Return the part of the decisions that are right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Return the part of the text that was found."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)

    def to_dict(self) -> dict[str, float | int]:
        """Return figures as plain JSON types."""
        return {
            "f1": round(self.f1, 4),
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "in_text": self.right + self.missed,
        }


@dataclass
class PunctuationScores:
    """Counts of each kind of decision.

    Attributes:
        signs: By sign, but for none.
        boundary: Of ends of sentences, whether by full stop or question mark.
        capitals: Of words with a capital letter, right only if written as in the text.
        capitals_of_words: The same if the ends of sentences are given, so that it says how well
            names are known.
        words: How many words were looked at.
        books: How many books they are of.
    """

    signs: dict[Sign, Counts] = field(
        default_factory=lambda: {sign: Counts() for sign in Sign if sign != Sign.NONE}
    )
    boundary: Counts = field(default_factory=Counts)
    capitals: Counts = field(default_factory=Counts)
    capitals_of_words: Counts = field(default_factory=Counts)
    words: int = 0
    books: int = 0

    def add(
        self,
        true_signs: Sequence[Sign],
        signs: Sequence[Sign],
        true_written: Sequence[str],
        written: Sequence[str],
        written_with_true_signs: Sequence[str] = (),
    ) -> None:
        """Count words.

        Args:
            true_signs: Signs of the text.
            signs: Signs that were chosen.
            true_written: Words as in the text.
            written: Words as they were written.
            written_with_true_signs: Words as they were written when the true signs were given.
        """
        for truth, sign in zip(true_signs, signs, strict=True):
            if truth == sign and sign != Sign.NONE:
                self.signs[sign].right += 1
            else:
                if sign != Sign.NONE:
                    self.signs[sign].wrong += 1
                if truth != Sign.NONE:
                    self.signs[truth].missed += 1
            if truth.ends_sentence or sign.ends_sentence:
                self.boundary.right += truth.ends_sentence and sign.ends_sentence
                self.boundary.wrong += not truth.ends_sentence
                self.boundary.missed += not sign.ends_sentence
        _count_capitals(self.capitals, true_written, written)
        if written_with_true_signs:
            _count_capitals(self.capitals_of_words, true_written, written_with_true_signs)
        self.words += len(signs)

    def __str__(self) -> str:
        names = {sign: f"{sign.name.lower().replace('_', ' ')} {sign.mark}" for sign in self.signs}
        rows = [
            *((names[sign], counts) for sign, counts in self.signs.items()),
            ("end of sentence", self.boundary),
            ("capital letters", self.capitals),
            ("  by true signs", self.capitals_of_words),
        ]
        lines = [
            f"{self.books:,} books, {self.words:,} words",
            f"{'':18}F1     prec.  recall   in text",
        ]
        lines += [
            f"{name:18}{counts.f1:.3f}  {counts.precision:.3f}  {counts.recall:.3f}  "
            f"{counts.right + counts.missed:8,}"
            for name, counts in rows
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return figures as plain JSON types."""
        return {
            "books": self.books,
            "words": self.words,
            **{sign.name.lower(): counts.to_dict() for sign, counts in self.signs.items()},
            "end_of_sentence": self.boundary.to_dict(),
            "capital_letters": self.capitals.to_dict(),
            "capital_letters_by_true_signs": self.capitals_of_words.to_dict(),
        }


def evaluate_books(
    model: PunctuationModel,
    books: Iterable[str],
    max_words: int | None = None,
    examples: int = 0,
    show: Callable[[str], object] = print,
) -> PunctuationScores:
    """Score a model on the true words of books.

    Args:
        model: The model.
        books: Their texts as printed.
        max_words: Stop after so many words.
        examples: Paragraphs to show, of those at the beginnings.
        show: Gets them.

    Returns:
        The scores.

    Raises:
        DataError: The books hold no words.
    """
    scores = PunctuationScores()
    for book in books:
        before = scores.words
        found = [words for words in map(annotate, paragraphs(book)) if words.words]
        for at in range(0, len(found), _SPAN_PARAGRAPHS):
            text = _joined(found[at : at + _SPAN_PARAGRAPHS])
            said = model.annotate(text.words)
            result = punctuate(model, text.words, said.signs, said.cases)
            given = np.eye(len(Sign), dtype=np.float32)[text.signs]
            with_true_signs = punctuate(model, text.words, given, said.cases)
            scores.add(
                text.signs,
                [word.sign for word in result],
                text.written,
                [word.written for word in result],
                [word.written for word in with_true_signs],
            )
            if examples > 0:
                examples -= 1
                show(" ".join(map(str, result[:120])) + "\n")
            if max_words is not None and scores.words >= max_words:
                break
        scores.books += scores.words > before
        if max_words is not None and scores.words >= max_words:
            break
    if not scores.words:
        raise DataError("there are no books to measure on; check --held-out and the texts")
    return scores


def _count_capitals(counts: Counts, true_words: Sequence[str], words: Sequence[str]) -> None:
    for true_word, word in zip(true_words, words, strict=True):
        if true_word == word:
            counts.right += not word.islower()
        else:
            counts.wrong += not word.islower()
            counts.missed += not true_word.islower()


def _joined(paragraphs: Sequence[AnnotatedWords]) -> AnnotatedWords:
    return AnnotatedWords(
        [word for paragraph in paragraphs for word in paragraph.words],
        [word for paragraph in paragraphs for word in paragraph.written],
        [sign for paragraph in paragraphs for sign in paragraph.signs],
        [case for paragraph in paragraphs for case in paragraph.cases],
    )
