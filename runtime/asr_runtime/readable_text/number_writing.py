"""Number words as they are written in a text: digits, dates, money, times of day and percentages.

A number below ten stays a word unless what stands around it asks for digits, as style guides have
it. So "one" as a pronoun stays a word, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from asr_runtime.readable_text.annotation import Sign
from asr_runtime.readable_text.number_words import Kind, Number, read_number
from asr_runtime.readable_text.punctuator import PunctuatedWord

_MONTH_WORDS = (
    "january february march april may june july august september october november december"
)
_LABEL_WORDS = "number chapter page room flight platform verse volume section figure table version"
_YEAR_PREPOSITIONS = "in of since by until from before after year"

_MONTHS = frozenset(_MONTH_WORDS.split())
_ALSO_VERBS = frozenset(("march", "may"))
_LABELS = frozenset(_LABEL_WORDS.split())
_BEFORE_YEARS = frozenset(_YEAR_PREPOSITIONS.split()) | _MONTHS
_CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€"}
_UNITS_OF_DIGITS = frozenset(("o'clock", "degrees", "cents", "cent"))

_LEAST_IN_DIGITS = 10
_LAST_DAY = 31
_LEAST_GROUPED = 1000
_YEARS_FROM, _YEARS_TO = 1900, 2099
"""Numbers in this range that were counted out, "two thousand and six", have no comma."""


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """One word of a readable text.

    Attributes:
        written: Without the sign after it.
        sign: What stands after it.
        words: How many recognised words it stands for.
    """

    written: str
    sign: Sign
    words: int = 1

    def __str__(self) -> str:
        # An abbreviation brings its own full stop.
        if self.sign == Sign.FULL_STOP and self.written.endswith("."):
            return self.written
        return self.written + self.sign.mark


def write_numbers(words: Sequence[PunctuatedWord]) -> list[WrittenWord]:
    """Write the numbers among some words as digits.

    Args:
        words: A text. A number does not go on after a sign, except from a day to its year.

    Returns:
        The text; all other words as they were.
    """
    result: list[WrittenWord] = []
    at = 0
    while at < len(words):
        found = _written(words, at)
        if found is None:
            found = [WrittenWord(words[at].written, words[at].sign)]
        result += found
        at += sum(word.words for word in found)
    return result


def _written(words: Sequence[PunctuatedWord], at: int) -> list[WrittenWord] | None:
    run = _run(words, at)
    number = read_number(run)
    if number is None:
        return None
    before = words[at - 1] if at and words[at - 1].sign == Sign.NONE else None
    after = run[number.words :]
    text, used = (
        _money(number, after)
        or _percentage(number, after)
        or _time(run)
        or _date(number, before, after, words, at)
        or _plain(number, before, after)
        or ("", 0)
    )
    if not used:
        # The words of a small number are all kept: its last must not begin another one.
        return [WrittenWord(word.written, word.sign) for word in words[at : at + number.words]]
    return [WrittenWord(text, words[at + used - 1].sign, used)]


def _run(words: Sequence[PunctuatedWord], at: int) -> list[str]:
    """Return the words from one on to the next sign."""
    run = []
    for word in words[at:]:
        run.append(word.word)
        if word.sign != Sign.NONE:
            break
    return run


def _money(number: Number, after: list[str]) -> tuple[str, int] | None:
    if number.kind not in (Kind.CARDINAL, Kind.DECIMAL) or not after:
        return None
    symbol = _CURRENCIES.get(after[0])
    if symbol is None:
        return None
    used = number.words + 1
    text = symbol + _cardinal(number)
    if number.kind == Kind.CARDINAL:
        skip = 1 if after[1:2] == ["and"] else 0
        cents = read_number(after[1 + skip :])
        if (
            cents is not None
            and cents.kind == Kind.CARDINAL
            and cents.value < 100
            and after[1 + skip + cents.words :][:1] in (["cents"], ["cent"])
        ):
            return f"{text}.{cents.value:02}", used + skip + cents.words + 1
    elif len(number.digits) == 1 and not number.scale:
        text += "0"
    return text, used


def _percentage(number: Number, after: list[str]) -> tuple[str, int] | None:
    if number.kind not in (Kind.CARDINAL, Kind.DECIMAL):
        return None
    if after[:1] == ["percent"]:
        return _cardinal(number) + "%", number.words + 1
    if after[:2] == ["per", "cent"]:
        return _cardinal(number) + "%", number.words + 2
    return None


def _time(run: list[str]) -> tuple[str, int] | None:
    """Write a time of day that says which half of the day: seven thirty a m."""
    for length in range(1, min(5, len(run) - 1)):
        if run[length] not in ("a", "p") or run[length + 1 : length + 2] != ["m"]:
            continue
        hour = read_number(run[:1])
        if hour is None or not 1 <= hour.value <= 12:
            return None
        half = f"{run[length]}.m."
        if length == 1:
            return f"{hour.value} {half}", length + 2
        rest = run[2 if run[1] in ("o", "oh") else 1 : length]
        minute = read_number(rest)
        if minute is None or minute.words != len(rest) or not 0 < minute.value < 60:
            return None
        return f"{hour.value}:{minute.value:02} {half}", length + 2
    return None


def _date(
    number: Number,
    before: PunctuatedWord | None,
    after: list[str],
    words: Sequence[PunctuatedWord],
    at: int,
) -> tuple[str, int] | None:
    """Write the day after or before a month, and the year after such a day."""
    if number.kind in (Kind.CARDINAL, Kind.ORDINAL) and 1 <= number.value <= _LAST_DAY:
        of_month = after[:1] == ["of"] and after[1:2] and after[1] in _MONTHS
        day_of_month = of_month if number.kind == Kind.ORDINAL else after and after[0] in _MONTHS
        if day_of_month or (before is not None and _is_month(before, number)):
            return _ordinal(number) if number.kind == Kind.ORDINAL else str(number.value), (
                number.words
            )
    return None


def _is_month(word: PunctuatedWord, number: Number) -> bool:
    if word.word not in _MONTHS:
        return False
    is_name = word.written[0].isupper()
    return is_name or number.kind == Kind.ORDINAL or word.word not in _ALSO_VERBS


def _plain(
    number: Number, before: PunctuatedWord | None, after: list[str]
) -> tuple[str, int] | None:
    previous = before.word if before is not None else ""
    if number.kind == Kind.ORDINAL:
        return (_ordinal(number), number.words) if number.value >= _LEAST_IN_DIGITS else None
    if number.kind == Kind.DECADE:
        return f"{number.value}s", number.words
    if number.kind == Kind.YEAR:
        return str(number.value), number.words
    if number.kind == Kind.DIGITS:
        return number.digits, number.words
    if number.kind == Kind.CARDINAL and number.value < _LEAST_IN_DIGITS and not number.scale:
        asked = after[:1] and after[0] in _UNITS_OF_DIGITS
        if not asked and previous not in _LABELS:
            return None
    if previous in _BEFORE_YEARS and _YEARS_FROM <= number.value <= _YEARS_TO:
        return str(number.value), number.words
    return _cardinal(number), number.words


def _cardinal(number: Number) -> str:
    if number.kind == Kind.DECIMAL:
        text = f"{_grouped(number.value)}.{number.digits}"
        return f"{text} {number.scale}" if number.scale else text
    if number.kind == Kind.DIGITS:
        return number.digits
    if number.scale and number.scale != "thousand":
        size = {"million": 10**6, "billion": 10**9, "trillion": 10**12}[number.scale]
        if number.value % size == 0 and number.value < 1000 * size:
            return f"{number.value // size} {number.scale}"
    is_year = _YEARS_FROM < number.value <= _YEARS_TO and number.value % 1000
    return str(number.value) if is_year else _grouped(number.value)


def _grouped(value: int) -> str:
    return f"{value:,}" if value >= _LEAST_GROUPED else str(value)


def _ordinal(number: Number) -> str:
    value = number.value
    ending = (
        "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    )
    return f"{_grouped(value)}{ending}"
