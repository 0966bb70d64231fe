"""How hotwords may be said: by the language model, by their letters, or as they say themselves."""

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
from asr_runtime.language.hotword import Hotword, parse_hotword

_VARIANTS = 20
"""Guesses at how a word is said: speakers of other languages' names guess too."""
_FEWEST_VARIANTS = 3
_ALL_VARIANTS = 20_000
"""Guesses at all words together: a long list has fewer of each, because each takes time and may be
heard where nobody said it."""
_LEAST = 0.002
"""Of a further guess's probability, as a share of the best one's."""
_LONGEST_INITIALS = 5


@dataclass(frozen=True)
class SpokenPhrase:
    """A hotword or phrase.

    Attributes:
        words: Its words in small letters.
        pronunciations: Pronunciations of each word, as phoneme ids, the most probable first.
        weight: By how much its bonus is multiplied.
    """

    words: tuple[str, ...]
    pronunciations: tuple[tuple[bytes, ...], ...]
    weight: float = 1.0


def pronounce_hotwords(
    hotwords: Sequence[str],
    known: Callable[[str], Sequence[bytes]] = lambda word: (),
    model: Path = DEFAULT_GRAPHEME_TO_PHONEME,
) -> list[SpokenPhrase]:
    """Find how each word of some hotwords may be said.

    Args:
        hotwords: Words or phrases as `parse_hotword` reads them. A phrase that is given again,
            pronounced in another way, may be said in both, and has the larger weight.
        known: Returns the pronunciations of words that the language model has.
        model: Grapheme-to-phoneme model for all others; it is read only if there are any.

    Returns:
        The phrases.

    Raises:
        DecoderError: A hotword cannot be read or pronounced.
        ModelFileError: The model is needed and cannot be read.
    """
    given = [parse_hotword(hotword) for hotword in hotwords]
    spoken_as = _spoken(given, known, model)
    phrases: dict[tuple[str, ...], list[list[bytes]]] = {}
    weights: dict[tuple[str, ...], float] = {}
    for hotword in given:
        words = tuple(hotword.text.split())
        spoken: list[Sequence[bytes]] = [[one] for one in hotword.pronunciations]
        if not spoken:
            spoken = [_variants(word, spoken_as[word.lower()]) for word in words]
        small = tuple(hotword.text.lower().split())
        weights[small] = max(weights.get(small, 0.0), hotword.weight)
        merged = phrases.setdefault(small, [[] for _ in words])
        for variants, new in zip(merged, spoken, strict=True):
            variants += [one for one in new if one not in variants]
    return [
        SpokenPhrase(words, tuple(tuple(variants) for variants in spoken), weights[words])
        for words, spoken in phrases.items()
    ]


def _spoken(
    given: Sequence[Hotword], known: Callable[[str], Sequence[bytes]], model: Path
) -> dict[str, Sequence[bytes]]:
    """Return pronunciations of all words that came without one, each by its small letters."""
    texts = {
        word: hotword.text
        for hotword in given
        if not hotword.pronunciations
        for word in hotword.text.lower().split()
    }
    spoken = {word: known(word) for word in texts}
    unknown = [word for word, found in spoken.items() if not found]
    if not unknown:
        return spoken
    speller = load_grapheme_to_phoneme(model)
    try:
        variants = max(_FEWEST_VARIANTS, min(_VARIANTS, _ALL_VARIANTS // len(unknown)))
        found = speller.pronounce_all(unknown, variants, _LEAST)
    except ValueError as error:
        wrong = next(word for word in unknown if not speller.knows(word))
        raise DecoderError(f"hotword {texts[wrong]!r}: {error}") from None
    spoken.update(zip(unknown, found, strict=True))
    return spoken


def _variants(word: str, spoken: Sequence[bytes]) -> list[bytes]:
    """Add the names of its letters if a word may be initials.

    NASA is a word and USA is not; nobody can tell from the letters.
    """
    if not (1 < len(word) <= _LONGEST_INITIALS and word.isupper()):
        return list(spoken)
    letters = spell_out(word.lower())
    return [*spoken, letters] if letters and letters not in spoken else list(spoken)
