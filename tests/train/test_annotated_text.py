"""Printed text as annotated words."""

from __future__ import annotations

import pytest

from asr_runtime.readable_text.annotation import Case, Sign
from asr_train.punctuation.annotated_text import annotate, paragraphs


@pytest.mark.parametrize(
    ("printed", "annotated"),
    [
        ('"Where are you going?" said Mr. Bell.', "Where are you going? said Mister Bell."),
        ("He saw it; he ran away to the hills.", "He saw it. He ran away to the hills."),
        ("He saw it; and he ran.", "He saw it, and he ran."),
        ("Apples; pears; plums.", "Apples, pears, plums."),
        ("I don't know--but wait!", "I don't know, but wait."),
        ("I know \u2014 but wait\u2026 It is he.", "I know, but wait. It is he."),
        ("\u201cCome here!\u201d said he.", "Come here, said he."),
        ("He had (so they said) a well-known face.", "He had, so they said, a well known face."),
        ("It cost $12 in 1841, or 5% more.", "It cost twelve dollars in eighteen forty one, "
         "or five percent more."),
        ("The U.S. army and J. R. Bell left.", "The U S army and J R Bell left."),
        ("Café déjà vu, as it were.", "Cafe deja vu, as it were."),
    ],
)  # fmt: skip
def test_old_signs_become_those_of_speech(printed: str, annotated: str) -> None:
    assert str(annotate(printed)) == annotated


@pytest.mark.parametrize(
    "printed", ["CHAPTER THE FIRST.", "A list without an end", "x = y + 2.", "12/5/1841.", ""]
)
def test_what_is_no_sentence_is_left_out(printed: str) -> None:
    assert annotate(printed).words == []


def test_words_are_those_of_the_recogniser() -> None:
    found = annotate("Mr. McDonald's NATO friends went.")
    assert found.words == ["mister", "mcdonald's", "nato", "friends", "went"]
    assert found.cases == [
        Case.CAPITALISED, Case.CAPITALISED, Case.UPPER, Case.LOWER, Case.LOWER,
    ]  # fmt: skip
    assert found.signs[-1] == Sign.FULL_STOP


def test_headers_of_project_gutenberg_are_left_out() -> None:
    book = (
        "Title: A Book\n\n*** START OF THE PROJECT GUTENBERG EBOOK A BOOK ***\n\n"
        "It was\na night.\n\nIt rained.\n\n*** END OF THE PROJECT GUTENBERG EBOOK ***\n\nLicence."
    )
    assert paragraphs(book) == ["It was a night.", "It rained."]
