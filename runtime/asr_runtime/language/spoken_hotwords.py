"""Hotwords with their sounds: ``Panayotov``, or ``Panayotov=P AA N AH Y OW T AO F``."""

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

    words: in small letters.
    pronunciations: of each word, as phoneme ids, the most probable first.
    """

    words: tuple[str, ...]
    pronunciations: tuple[tuple[bytes, ...], ...]


def split_pronunciation(hotword: str) -> tuple[str, tuple[bytes, ...]]:
    """A hotword's text and the pronunciation of each of its words; none if it gives no sounds.

    The words of a phrase are separated by commas in its pronunciation:
    ``Vassil Panayotov=V AH S IH L, P AA N AH Y OW T AO F``.

    Raises DecoderError for a pronunciation that cannot be used.
    """
    text, sign, sounds = hotword.partition("=")
    text = text.strip()
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
    """The words of hotwords and how each may be said.

    hotwords: words or phrases, each with its pronunciation behind ``=`` or without one. A phrase
        that is given again, pronounced in another way, may be said in both.
    known: pronunciations of words that the language model has.
    model: grapheme-to-phoneme model for all others; it is read only if there are any.

    Raises DecoderError for a hotword that cannot be read or pronounced, ModelFileError if the model
    is needed and cannot be read.
    """
    phrases: dict[tuple[str, ...], list[list[bytes]]] = {}
    for hotword in hotwords:
        text, given = split_pronunciation(hotword)
        written = text.replace("\u2019", "'").split()
        spoken: list[Sequence[bytes]] = [[one] for one in given]
        if not given:
            spoken = [_pronounce(hotword, word, known, model) for word in written]
        words = tuple(word.lower() for word in written)
        merged = phrases.setdefault(words, [[] for _ in words])
        for variants, new in zip(merged, spoken, strict=True):
            variants += [one for one in new if one not in variants]
    return [
        SpokenPhrase(words, tuple(tuple(variants) for variants in spoken))
        for words, spoken in phrases.items()
    ]


def _pronounce(
    hotword: str, word: str, known: Callable[[str], Sequence[bytes]], model: Path
) -> Sequence[bytes]:
    small = word.lower()
    initials = 1 < len(word) <= _LONGEST_INITIALS and word.isupper()
    spoken = list(known(small))
    if not spoken:
        try:
            spoken += load_grapheme_to_phoneme(model).pronounce(small, VARIANTS, _LEAST)
        except ValueError as error:
            raise DecoderError(f"hotword {hotword!r}: {error}") from None
    # NASA is a word and USA is not; nobody can tell from the letters.
    letters = spell_out(small)
    if initials and letters and letters not in spoken:
        spoken.append(letters)
    return spoken
