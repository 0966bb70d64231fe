"""Numerals as the words that a reader says, as a recogniser writes them."""

from __future__ import annotations

import re

_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"

_UNITS = _UNIT_WORDS.split()
_TENS = ["", "", *_TEN_WORDS.split()]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_FIRST_YEAR, _AFTER_YEARS = 1100, 2000
"""Four digits without a comma in this range are read in pairs: 1841 is eighteen forty one."""

_NUMERAL = re.compile(
    r"(?<![\w.,$£/:-])([$£]?)(\d{1,3}(?:,\d{3})+|\d{1,6})(\.\d+)?(st|nd|rd|th|s|%)?(?![\w$£%/:]|[.,]\d)"
)


def in_words(number: int, *, year: bool = False) -> str:
    """Spell a number out as it is read aloud.

    Args:
        number: 0 to 999,999.
        year: Whether it may be a year, which is read in pairs of digits.

    Returns:
        Lower-case words without hyphens, such as ``two hundred and five``.
    """
    if number < 20:
        return _UNITS[number]
    if number < 100:
        return _TENS[number // 10] + (" " + _UNITS[number % 10] if number % 10 else "")
    if year and _FIRST_YEAR <= number < _AFTER_YEARS:
        rest = number % 100
        last = " hundred" if not rest else (" o " if rest < 10 else " ") + in_words(rest)
        return in_words(number // 100) + last
    size, name = (1000, " thousand") if number >= 1000 else (100, " hundred")
    rest = number % size
    joint = " and " if rest < 100 else " "
    return in_words(number // size) + name + (joint + in_words(rest) if rest else "")


def spell_numerals(text: str) -> str:
    """Replace the numerals of a text that can be read out; dates with slashes and the like stay.

    Args:
        text: Any text.

    Returns:
        The text with ``$12`` as ``twelve dollars``, ``3rd`` as ``third``, ``1.5`` as
        ``one point five`` and ``1905`` as ``nineteen o five``.
    """
    return _NUMERAL.sub(_spell, text)


def _spell(found: re.Match[str]) -> str:
    currency, digits, decimals, ending = found.groups()
    is_year = len(digits) == 4 and not currency and not decimals
    words = in_words(int(digits.replace(",", "")), year=is_year)
    if decimals:
        words += " point " + " ".join(_UNITS[int(digit)] for digit in decimals[1:])
    if ending == "%":
        words += " percent"
    elif ending:
        head, _, last = words.rpartition(" ")
        stem = last[:-1] + "ie" if last.endswith("y") else last
        last = stem + "s" if ending == "s" else _ORDINALS.get(last) or stem + "th"
        words = f"{head} {last}".lstrip()
    if currency:
        words += " dollars" if currency == "$" else " pounds"
    return words
