"""How a hotword is written: ``TEXT``, ``TEXT=PHONEMES``, each with ``:WEIGHT`` behind it or not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asr_runtime.errors import DecoderError
from asr_runtime.language.phonemes import parse_phonemes

MAX_WEIGHT = 100.0


@dataclass(frozen=True)
class Hotword:
    """A word or phrase to listen for.

    Attributes:
        text: The words as they were given.
        pronunciations: Phoneme ids of each word; none if they were not given.
        weight: By how much its bonus is multiplied, 0 to MAX_WEIGHT.
    """

    text: str
    pronunciations: tuple[bytes, ...] = ()
    weight: float = 1.0


def parse_hotword(entry: str) -> Hotword:
    """Read a hotword.

    The words of a phrase are separated by commas in its pronunciation: ``Vassil Panayotov=V AH S IH
    L, P AA N AH Y OW T AO F:2``.

    Args:
        entry: Text, perhaps with ``=`` and phonemes, perhaps with ``:`` and a weight.

    Raises:
        DecoderError: It has no word, or its pronunciation or weight cannot be used.
    """
    rest, colon, number = entry.rpartition(":")
    weight = _weight(entry, number) if colon else 1.0
    text, sign, sounds = (rest if colon else entry).partition("=")
    text = text.replace("\u2019", "'").strip()
    words = text.split()
    if not words:
        raise DecoderError(
            f"hotword {entry!r} has no word; give WORD or WORD=PHONEMES, "
            "such as 'Panayotov=P AA N AH Y OW T AO F'"
        )
    if not sign:
        return Hotword(text, (), weight)
    parts = sounds.split(",")
    if len(parts) != len(words):
        raise DecoderError(
            f"hotword {entry!r} has {len(words)} words and {len(parts)} pronunciations; "
            "give one for each word, separated by commas"
        )
    try:
        return Hotword(text, tuple(parse_phonemes(part) for part in parts), weight)
    except ValueError as error:
        raise DecoderError(f"hotword {entry!r}: {error}") from None


def _weight(entry: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= MAX_WEIGHT:
        raise DecoderError(
            f"hotword {entry!r} has {number.strip()!r} for its weight; give a number from 0 to "
            f"{MAX_WEIGHT:g} after the colon, such as 'New York:2'"
        )
    return weight


def hotword_entries(hotwords: Iterable[str] | None) -> list[str]:
    """Return the entries of a list of hotwords; None has none.

    Args:
        hotwords: Words or phrases as `parse_hotword` reads them.

    Raises:
        DecoderError: It is a lone string, or holds something other than strings.
    """
    if isinstance(hotwords, (str, bytes)):
        raise DecoderError("hotwords are a list of words or phrases; give [word]")
    entries = list(hotwords or ())
    for entry in entries:
        if not isinstance(entry, str):
            raise DecoderError(
                f"hotwords are strings, and {entry!r} is none; a weight follows a colon, "
                "such as 'New York:2'"
            )
    return entries


def read_hotwords(file: Path) -> list[str]:
    """Return the hotwords of a file: one a line, perhaps with a remark after ``#``.

    Raises:
        DecoderError: The file cannot be read as text; its path is the error's subject.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DecoderError(f"cannot be read as text: {error}", str(file)) from None
    # After a letter it belongs to the word, as in C#.
    entries = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return list(filter(None, entries))
