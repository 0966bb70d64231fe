"""Pronunciations of words that are an ending away from known ones: *dogs'*, *sailed*, *unkindness*.

Of CMUdict's own words that these rules reach, 95 % get one of the listed pronunciations. (The two
parts of a compound give 55 %, less than a model of spelling does, which knows *lighthouse* too.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from asr_runtime.language.phonemes import PHONEMES, parse_phonemes
from asr_train.pronunciation.cmudict import Pronunciations

_VOWELS = "aeiouy"


def _phonemes(names: str) -> frozenset[int]:
    return frozenset(parse_phonemes(names))


_HISSING = _phonemes("S Z SH ZH CH JH")
_VOICELESS = _phonemes("P T K F TH S SH CH HH")
_TOOTH = _phonemes("T D")
_OPEN = _phonemes("AA AH AO AW AY EH EY IH IY OW OY UH UW")
_S, _Z, _T, _D, _AH = (bytes([PHONEMES.index(name)]) for name in ("S", "Z", "T", "D", "AH"))
_IH_Z, _IH_D, _IH_NG, _IH_N, _IH_K_AH_L = map(
    parse_phonemes, ("IH Z", "IH D", "IH NG", "IH N", "IH K AH L")
)
_AH_L, _AH_V, _AH_D, _L_IY, _L_AH_S, _N_AH_S, _K_L_IY = map(
    parse_phonemes, ("AH L", "AH V", "AH D", "L IY", "L AH S", "N AH S", "K L IY")
)


def add_s(stem: bytes) -> bytes:
    """A stem with the ending of plurals, possessives and the third person."""
    if stem[-1] in _HISSING:
        return stem + _IH_Z
    return stem + (_S if stem[-1] in _VOICELESS else _Z)


def add_ed(stem: bytes) -> bytes:
    """A stem with the ending of the past."""
    if stem[-1] in _TOOTH:
        return stem + _IH_D
    return stem + (_T if stem[-1] in _VOICELESS else _D)


def add_ing(stem: bytes) -> bytes:
    """A stem with *-ing*; *handling* has no vowel before its *l*."""
    if stem.endswith(_AH_L):
        return stem[:-2] + stem[-1:] + _IH_NG
    return stem + _IH_NG


def add_ly(stem: bytes) -> bytes:
    """A stem with *-ly*; *basically* loses a syllable, *fully* an *l*."""
    if stem.endswith(_IH_K_AH_L):
        return stem[: -len(_AH_L) - 1] + _K_L_IY
    return stem + (_L_IY[1:] if stem[-1:] == _L_IY[:1] else _L_IY)


def derive(word: str, known: Pronunciations) -> tuple[bytes, ...]:
    """Pronunciations of a word by rule; none if no rule is safe.

    The stem of an ending must be known or be derived from a known one itself (*fishers'*).

    Args:
        word: in letters ``a``-``z`` and ``'``.
        known: the dictionary.
    """
    for stem, change in _inflections(word):
        spoken = known.get(stem) or (derive(stem, known) if len(stem) < len(word) else ())
        if spoken:
            return tuple(dict.fromkeys(change(one) for one in spoken))
    return ()


_Change = Callable[[bytes], bytes]


def _inflections(word: str) -> Iterator[tuple[str, _Change]]:
    """Stems that a word may be made from, the surest first."""
    if word.startswith("'") or word.endswith("'"):  # quotation marks, and the dogs' bowls
        bare = word.strip("'")
        if word.endswith("in'"):
            for stem in _before_vowel(word[:-3]):
                yield stem, lambda stem: stem + _IH_N
        if bare:
            yield bare, lambda stem: stem
        return
    for ending, change in _AFTER_APOSTROPHE.items():
        if word.endswith(ending):
            yield word.removesuffix(ending), change
            return
    if "'" in word:
        return
    if word.endswith("nt"):  # dont, as some transcripts write it
        yield word[:-1] + "'t", lambda stem: stem
    if word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y", add_s
    elif word.endswith(("sses", "xes", "ches", "shes")):
        yield word[:-2], add_s
        yield word[:-1], add_s
    elif word.endswith(("ses", "zes")):
        yield word[:-1], add_s
        yield word[:-2], add_s
    elif word.endswith("s") and not word.endswith(("ss", "us", "is", "os", "as")):
        if len(word) > 3:
            yield word[:-1], add_s
    elif word.endswith("ied") and len(word) > 4:
        yield word[:-3] + "y", add_ed
    elif word.endswith("ed") and len(word) > 4:
        for stem in _before_vowel(word[:-2]):
            yield stem, add_ed
    elif word.endswith("ing") and len(word) > 5:
        for stem in _before_vowel(word[:-3]):
            yield stem, add_ing
    elif word.endswith("ly") and len(word) > 5:
        yield word[:-2], add_ly
    elif word.endswith("less") and len(word) > 6:
        yield word[:-4], lambda stem: stem + _L_AH_S
    elif word.endswith("ness") and len(word) > 6:
        yield word[:-4], lambda stem: stem + _N_AH_S
        if word[-5] == "i":
            yield word[:-5] + "y", lambda stem: stem + _N_AH_S


_AFTER_APOSTROPHE: dict[str, _Change] = {
    "'s": add_s,
    "'ll": lambda stem: stem + (_AH_L[1:] if stem[-1] in _OPEN else _AH_L),
    "'ve": lambda stem: stem + (_AH_V[1:] if stem[-1] in _OPEN else _AH_V),
    "'d": lambda stem: stem + (_AH_D if stem[-1] in _TOOTH else _D),
    "n't": lambda stem: stem + parse_phonemes("AH N T"),
    "'re": lambda stem: stem + parse_phonemes("ER"),
}


def _before_vowel(stem: str) -> Iterator[str]:
    """How a stem may be spelt by itself that stands before an ending with a vowel."""
    if len(stem) < 3 or not any(letter in _VOWELS for letter in stem):
        return
    doubled = stem[-1] == stem[-2] and stem[-1] not in _VOWELS
    if doubled and stem[-1] not in "lsfz":
        yield stem[:-1]
        yield stem
    elif doubled:
        yield stem
        yield stem[:-1]
    elif stem[-1] in "cgsuvz" or stem[-2:] in ("dl", "gl", "tl", "bl", "pl", "kl", "fl"):
        yield stem + "e"
        yield stem
    else:
        # hoping is of hope, for hop doubles its consonant; so a vowel alone asks for e first.
        short = stem[-1] not in _VOWELS + "wxh" and stem[-2] in _VOWELS
        alone = short and stem[-3] not in _VOWELS
        yield from (stem + "e", stem) if alone else (stem, stem + "e")
