"""Number words as numbers: cardinals, years in pairs, decimals and strings of digits."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

_UNIT_WORDS = "zero one two three four five six seven eight nine"
_TEEN_WORDS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_UNIT_WORDS = "first second third fourth fifth sixth seventh eighth ninth"
_ORDINAL_TEEN_WORDS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
    "nineteenth"
)

UNITS = {word: value for value, word in enumerate(_UNIT_WORDS.split())}
TEENS = {
    word: value
    for value, word in enumerate(
        _TEEN_WORDS.split(),
        start=10,
    )
}
TENS = {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), start=2)}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

_ORDINAL_UNITS = {
    word: value
    for value, word in enumerate(
        _ORDINAL_UNIT_WORDS.split(),
        start=1,
    )
}
_ORDINAL_TEENS = {
    word: value
    for value, word in enumerate(
        _ORDINAL_TEEN_WORDS.split(),
        start=10,
    )
}
_ORDINAL_TENS = {word[:-1] + "ieth": value for word, value in TENS.items()}
_ORDINAL_SCALES = {"hundredth": 100, **{word + "th": value for word, value in SCALES.items()}}
_DECADES = {word[:-1] + "ies": value for word, value in TENS.items()}
_ZEROS = ("o", "oh")
_LEAST_DIGITS = 3
"""Single digits in a row that are read as one string, such as a telephone number."""

_FIRST_CENTURY, _LAST_CENTURY = 11, 20
"""First half of a year in pairs: eleven sixty six to twenty ninety nine."""


_NUMBER_WORDS = frozenset(
    (*UNITS, *TEENS, *TENS, *SCALES, *_ORDINAL_UNITS, *_ORDINAL_TEENS, *_ORDINAL_TENS, *_ZEROS)
) | {"hundred", "point", "and", "a", "p", "per", "dollar", "dollars", "of"}


class Kind(Enum):
    """What kind of number words make."""

    CARDINAL = "cardinal"
    ORDINAL = "ordinal"
    YEAR = "year"
    DECADE = "decade"
    DECIMAL = "decimal"
    DIGITS = "digits"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that some words make.

    Attributes:
        kind: Its kind.
        value: Its value, before the decimal point.
        words: How many words it is made of.
        digits: Digits as they were said: all of `DIGITS`, those after the point of `DECIMAL`.
        scale: The last word, if it multiplies a number of few digits: "million" in "two million".
    """

    kind: Kind
    value: int
    words: int
    digits: str = ""
    scale: str = ""


def read_number(words: Sequence[str]) -> Number | None:
    """Read the longest number that some words begin with.

    Args:
        words: Lower-case words without hyphens.

    Returns:
        The number, or None if the first word is not part of one.
    """
    return _digits(words) or _year(words) or _counted(words)


def can_be_in_number(word: str) -> bool:
    """Tell whether the meaning of a word can depend on a number word after it.

    Args:
        word: In lower case.
    """
    return word in _NUMBER_WORDS


def _digits(words: Sequence[str]) -> Number | None:
    found = ""
    for word in words:
        if word in UNITS:
            found += str(UNITS[word])
        elif word in _ZEROS and found:
            found += "0"
        else:
            break
    following = words[len(found)] if len(found) < len(words) else ""
    if len(found) < _LEAST_DIGITS or following in ("hundred", "point", *SCALES):
        return None
    return Number(Kind.DIGITS, int(found), len(found), digits=found)


def _year(words: Sequence[str]) -> Number | None:
    """Read a year or decade in pairs: eighteen forty one, nineteen o five, nineteen seventies."""
    if len(words) < 2:
        return None
    century = TEENS.get(words[0]) or (20 if words[0] == "twenty" else 0)
    if not _FIRST_CENTURY <= century <= _LAST_CENTURY:
        return None
    if words[1] in _DECADES:
        return Number(Kind.DECADE, 100 * century + _DECADES[words[1]], 2)
    if words[1] == "hundreds":
        return Number(Kind.DECADE, 100 * century, 2)
    if words[1] == "hundred":
        rest, used = _below_hundred(words[3:]) if words[2:3] == ["and"] else (0, 0)
        used = used + 1 if used else 0
        return Number(Kind.YEAR, 100 * century + rest, 2 + used)
    if words[1] in _ZEROS and len(words) > 2 and UNITS.get(words[2], 0):
        return Number(Kind.YEAR, 100 * century + UNITS[words[2]], 3)
    rest, used = _below_hundred(words[1:])
    if rest >= 10 and not (century == 20 and rest < 10):
        following = words[1 + used] if len(words) > 1 + used else ""
        if following not in ("hundred", *SCALES):
            return Number(Kind.YEAR, 100 * century + rest, 1 + used)
    return None


def _below_hundred(words: Sequence[str]) -> tuple[int, int]:
    """Read 1 to 99. Returns the value and the number of words, 0 for none."""
    if not words:
        return 0, 0
    if words[0] in TEENS:
        return TEENS[words[0]], 1
    if words[0] in TENS:
        unit = UNITS.get(words[1], 0) if len(words) > 1 else 0
        return TENS[words[0]] + unit, 2 if unit else 1
    return (UNITS[words[0]], 1) if UNITS.get(words[0], 0) else (0, 0)


def _ordinal_below_hundred(words: Sequence[str]) -> tuple[int, int]:
    if not words:
        return 0, 0
    for table in (_ORDINAL_UNITS, _ORDINAL_TEENS, _ORDINAL_TENS):
        if words[0] in table:
            return table[words[0]], 1
    if words[0] in TENS and len(words) > 1 and words[1] in _ORDINAL_UNITS:
        return TENS[words[0]] + _ORDINAL_UNITS[words[1]], 2
    return 0, 0


def _counted(words: Sequence[str]) -> Number | None:
    """Read a cardinal, or an ordinal, of any size, and what follows a decimal point."""
    total = group = used = 0
    scale, largest = "", 10**15
    at = 0
    while at < len(words):
        # "and" joins only after a hundred or a thousand: "five and six" are two numbers.
        joint = 1 if words[at] == "and" and (group >= 100 or (total and not group)) else 0
        rest = list(words[at + joint : at + joint + 3])
        ordinal, length = _ordinal_below_hundred(rest)
        if length and group % 100 == 0 and (at == 0 or group or total):
            return Number(Kind.ORDINAL, total + group + ordinal, at + joint + length)
        value, length = _below_hundred(rest)
        if length and group % 100 == 0 and (group >= 100 or not group):
            group += value
            at += joint + length
        elif joint:
            break
        elif words[at] == "hundred" and 0 < group < 100:
            group *= 100
            at += 1
        elif words[at] in SCALES and group and SCALES[words[at]] < largest:
            largest = SCALES[words[at]]
            total, group = total + group * largest, 0
            scale = words[at]
            at += 1
            used = at
            continue
        elif words[at] in _ORDINAL_SCALES and (group or total):
            return Number(Kind.ORDINAL, total + (group or 1) * _ORDINAL_SCALES[words[at]], at + 1)
        elif words[at] == "zero" and at == 0:
            at += 1
            used = at
            break
        else:
            break
        scale = ""
        used = at
    if not used:
        return None
    value = total + group
    if used < len(words) and words[used] == "point":
        return _decimal(words, used, value)
    return Number(Kind.CARDINAL, value, used, scale=scale)


def _decimal(words: Sequence[str], point: int, value: int) -> Number:
    digits = ""
    for word in words[point + 1 :]:
        if word not in UNITS and word not in _ZEROS:
            break
        digits += str(UNITS.get(word, 0))
    if not digits:
        return Number(Kind.CARDINAL, value, point)
    used = point + 1 + len(digits)
    scale = words[used] if used < len(words) and words[used] in SCALES else ""
    return Number(Kind.DECIMAL, value, used + bool(scale), digits, scale)
