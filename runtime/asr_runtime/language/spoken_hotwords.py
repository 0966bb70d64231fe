"""Hotwords with their sounds: ``Panayotov``, or ``Panayotov=P AA N AH Y OW T AO F``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_runtime.errors import DecoderError
from asr_runtime.language.grapheme_to_phoneme import (
    DEFAULT_GRAPHEME_TO_PHONEME,
    load_grapheme_to_phoneme,
    spell_out,
)
from asr_runtime.language.phonemes import parse_phonemes

VARIANTS = 3
_LEAST = 0.05
"""Of a further guess's probability, as a share of the best one's."""
_LONGEST_INITIALS = 5


@dataclass(frozen=True)
class SpokenPhrase:
    """A hotword or phrase.

    Attributes:
        words: Its words in small letters.
        pronunciations: Pronunciations of each word, as phoneme ids, the most probable first.
    """

    words: tuple[str, ...]
    pronunciations: tuple[tuple[bytes, ...], ...]


def split_pronunciation(hotword: str) -> tuple[str, tuple[bytes, ...]]:
    """Split a hotword into its text and the pronunciation of each of its words.

    The words of a phrase are separated by commas in its pronunciation: ``Vassil Panayotov=V AH S IH
    L, P AA N AH Y OW T AO F``.

    Args:
        hotword: Text, perhaps with ``=`` and phonemes.

    Returns:
        The text, and the phoneme ids of each word; none if it gives no sounds.

    Raises:
        DecoderError: The pronunciation cannot be used.
    """
    text, sign, sounds = hotword.partition("=")
    text = text.replace("\u2019", "'").strip()
    words = text.split()
    if not words:
        raise DecoderError(
            f"hotword {hotword!r} has no word; give WORD or WORD=PHONEMES, "
            "such as 'Panayotov=P AA N AH Y OW T AO F'"
        )
    if not sign:
        return text, ()
    parts = sounds.split(",")
    if len(parts) != len(words):
        raise DecoderError(
            f"hotword {hotword!r} has {len(words)} words and {len(parts)} pronunciations; "
            "give one for each word, separated by commas"
        )
    try:
        return text, tuple(parse_phonemes(part) for part in parts)
    except ValueError as error:
        raise DecoderError(f"hotword {hotword!r}: {error}") from None


def pronounce_hotwords(
    hotwords: Sequence[str],
    known: Callable[[str], Sequence[bytes]] = lambda word: (),
    model: Path = DEFAULT_GRAPHEME_TO_PHONEME,
) -> list[SpokenPhrase]:
    """Find how each word of some hotwords may be said.

    Args:
        hotwords: Words or phrases, each with its pronunciation after ``=`` or without one. A phrase
            that is given again, pronounced in another way, may be said in both.
        known: Returns the pronunciations of words that the language model has.
        model: Grapheme-to-phoneme model for all others; it is read only if there are any.

    Returns:
        The phrases.

    Raises:
        DecoderError: A hotword cannot be read or pronounced.
        ModelFileError: The model is needed and cannot be read.
    """
    given = [split_pronunciation(hotword) for hotword in hotwords]
    spelled = _spell(given, known, model)
    phrases: dict[tuple[str, ...], list[list[bytes]]] = {}
    for text, sounds in given:
        words = tuple(text.split())
        spoken: list[Sequence[bytes]] = [[one] for one in sounds]
        if not sounds:
            spoken = [
                _variants(word, known(word.lower()) or spelled[word.lower()]) for word in words
            ]
        small = tuple(word.lower() for word in words)
        merged = phrases.setdefault(small, [[] for _ in words])
        for variants, new in zip(merged, spoken, strict=True):
            variants += [one for one in new if one not in variants]
    return [
        SpokenPhrase(words, tuple(tuple(variants) for variants in spoken))
        for words, spoken in phrases.items()
    ]


def _spell(
    given: Sequence[tuple[str, tuple[bytes, ...]]],
    known: Callable[[str], Sequence[bytes]],
    model: Path,
) -> dict[str, tuple[bytes, ...]]:
    """Return pronunciations of all words that nothing but their letters tells of."""
    texts = {word: text for text, sounds in given if not sounds for word in text.lower().split()}
    unknown = [word for word in texts if not known(word)]
    if not unknown:
        return {}
    speller = load_grapheme_to_phoneme(model)
    for word in unknown:
        try:
            speller.check(word)
        except ValueError as error:
            raise DecoderError(f"hotword {texts[word]!r}: {error}") from None
    found = speller.pronounce_all(unknown, VARIANTS, _LEAST)
    return dict(zip(unknown, found, strict=True))


def _variants(word: str, spoken: Sequence[bytes]) -> list[bytes]:
    """Add the names of its letters if a word may be initials.

    NASA is a word and USA is not; nobody can tell from the letters.
    """
    letters = spell_out(word.lower())
    initials = 1 < len(word) <= _LONGEST_INITIALS and word.isupper() and letters
    return [*spoken, letters] if initials and letters not in spoken else list(spoken)
