"""Printed text as the words that a recogniser would write, each with its sign and its case.

Old print has habits that nobody dictates. Semicolons, colons, dashes and brackets become commas or
full stops, and exclamation marks become full stops, so that four classes remain.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from asr_runtime.readable_text.annotation import Case, Sign
from asr_train.punctuation.spelled_numbers import spell_numerals

_DEPENDENT_WORDS = (
    "and but or nor yet so for while who whom which whose that where when as if though "
    "although because than not with to in of by unless until till whereas being having or"
)

_TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "messrs": "messieurs"}
_ABBREVIATED = re.compile(
    r"\b(Mr|Mrs|Dr|St|Messrs|Esq|Rev|Capt|Col|Gen|Hon|Prof|Lieut|Sergt|Jr|Co|No|vs|etc|[A-HJ-Z])\.(?=[\s,A-Z])"
)
_NOISE = re.compile(r"\[[^\]]*\]|\{[^}]*\}|_|\*+|(?:https?:|www\.)\S*")
_DASH = re.compile(r"(?<=\s)-(?=\s)|-{2,}|(?<=\s)-(?=\w)(?=.*\s-\s)")
_WORD_AND_MARKS = re.compile(r"([A-Za-z]+(?:'[A-Za-z]+)*)([^A-Za-z]*)")
_UNREADABLE = re.compile(r"[^\sA-Za-z'\"().,;:!?-]")
_NO_MARKS = frozenset((" ", "-", ' "', '" ', "' ", " '"))
_PAUSE = re.compile(r"[,:()]|--")
_CLAUSE_END = re.compile(r"[.;:?!]")
_END = re.compile(r"[.!?:-][\"')]*$")
_START_OF_BOOK = re.compile(
    r"\*{3} ?START OF TH(?:E|IS) PROJECT GUTENBERG.*?\*\*\*|\*END ?\*? ?THE SMALL PRINT.*?\*END\*",
    re.S,
)
_END_OF_BOOK = re.compile(
    r"^\W*(?:\*\*\* ?END OF (?:THE|THIS) PROJECT|End of (?:the |this )?Project Gutenberg).*",
    re.M | re.S,
)
_SIGNS = "\u2019\u2018\u02bc\u00b4\u201c\u201d\u201e\u00ab\u00bb\u2010\u2011"
_PLAIN = str.maketrans(dict(zip(_SIGNS, '\'\'\'\'"""""--', strict=True)))
_PLAIN.update(
    {0x2013: "--", 0x2014: "--", 0x2015: "--", 0x2012: "--", 0x2026: "...", 0x26: " and "}
)
_PLAIN.update({ord("æ"): "ae", ord("œ"): "oe", ord("Æ"): "Ae", ord("Œ"): "Oe", 0xA0: " "})

_LEAST_CLAUSE = 4
"""Words of a clause after a semicolon that can be a sentence of its own."""

_DEPENDENT = frozenset(_DEPENDENT_WORDS.split())
"""A clause that begins with one of these goes on after a comma, not after a full stop."""

_MOST_CAPITALS = 0.3
"""Part of a paragraph's words in capitals from which it is a title."""


class AnnotatedWords(NamedTuple):
    """The words of a paragraph; the lists are of one length.

    Attributes:
        words: As the recogniser writes them: ``a``-``z`` and apostrophes.
        written: As the text has them, with their capitals.
        signs: What stands after each.
        cases: How each is written.
    """

    words: list[str]
    written: list[str]
    signs: list[Sign]
    cases: list[Case]

    def __str__(self) -> str:
        return " ".join(
            word + sign.mark for word, sign in zip(self.written, self.signs, strict=True)
        )


def paragraphs(document: str) -> list[str]:
    """Divide a document at empty lines, without the header and licence of Project Gutenberg.

    Args:
        document: A text as it is distributed.

    Returns:
        Its paragraphs, line breaks replaced by spaces.
    """
    starts = [found.end() for found in _START_OF_BOOK.finditer(document)]
    body = _END_OF_BOOK.sub("", document[starts[-1] if starts else 0 :])
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", body) if part.strip()]


def annotate(paragraph: str) -> AnnotatedWords:
    """Divide a paragraph into annotated words.

    Args:
        paragraph: Printed text.

    Returns:
        Its words, the last of which ends a sentence. None if the paragraph is a title, has no end,
        or holds something that cannot be read out.
    """
    nothing = AnnotatedWords([], [], [], [])
    text = _cleaned(paragraph)
    if not _END.search(text) or _UNREADABLE.search(text):
        return nothing
    pairs = _WORD_AND_MARKS.findall(text)
    if len(pairs) < 2:
        return nothing
    written = [pair[0] for pair in pairs]
    if sum(word.isupper() and len(word) > 1 for word in written) > _MOST_CAPITALS * len(written):
        return nothing
    signs = [
        Sign.NONE if after in _NO_MARKS else _sign(pairs, index)
        for index, (_, after) in enumerate(pairs)
    ]
    signs[-1] = signs[-1] if signs[-1] == Sign.QUESTION_MARK else Sign.FULL_STOP
    words = _normalise(written, signs)
    return AnnotatedWords(words, written, signs, [_case(word) for word in written])


def _cleaned(paragraph: str) -> str:
    text = _NOISE.sub(" ", paragraph)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_PLAIN))
        text = "".join(character for character in text if not unicodedata.combining(character))
    text = _ABBREVIATED.sub(r"\1 ", _DASH.sub(" -- ", text))
    return spell_numerals(text).strip() if re.search(r"\d", text) else text.strip()


def _sign(pairs: list[tuple[str, str]], index: int) -> Sign:
    marks = pairs[index][1]
    if "?" in marks:
        return Sign.QUESTION_MARK
    if index == len(pairs) - 1:
        return Sign.FULL_STOP
    following = pairs[index + 1][0]
    goes_on = following[0].islower()
    if "!" in marks:
        return Sign.COMMA if goes_on else Sign.FULL_STOP
    if ".." in marks:
        return Sign.COMMA if goes_on or following[:2] in ("I", "I'") else Sign.FULL_STOP
    if "." in marks:
        return Sign.NONE if goes_on else Sign.FULL_STOP
    if ";" in marks:
        return _semicolon(pairs, index)
    return Sign.COMMA if _PAUSE.search(marks) else Sign.NONE


def _semicolon(pairs: list[tuple[str, str]], index: int) -> Sign:
    """Choose a comma before what depends on the sentence so far, and a full stop otherwise."""
    following = pairs[index + 1][0].lower()
    if following in _DEPENDENT or following.endswith("ing"):
        return Sign.COMMA
    for _, marks in pairs[index + 1 : index + _LEAST_CLAUSE]:
        if _CLAUSE_END.search(marks):
            return Sign.COMMA
    return Sign.FULL_STOP


def _normalise(written: list[str], signs: list[Sign]) -> list[str]:
    """Return the words in lower case; in ``written``, begin sentences with capital letters."""
    words = [word.lower() for word in written]
    for index, word in enumerate(words):
        if word in _TITLES and written[index][0].isupper():
            words[index] = _TITLES[word]
            written[index] = _TITLES[word].capitalize()
    starts = [0, *(at + 1 for at, sign in enumerate(signs[:-1]) if sign == Sign.FULL_STOP)]
    for at in starts:
        if written[at][0].islower():
            written[at] = written[at][0].upper() + written[at][1:]
    return words


def _case(written: str) -> Case:
    if written[0].islower():
        return Case.LOWER
    if len(written) > 1 and written.removesuffix("'s").isupper() and written[1] != "'":
        return Case.UPPER
    return Case.CAPITALISED
