"""The sounds of English that a model with a phoneme head tells apart.

They are the 39 phonemes of the CMU Pronouncing Dictionary without its marks of stress, in
alphabetical order: phoneme ids are indices into `PHONEMES`. A pronunciation is `bytes` of such ids.
"""

from __future__ import annotations

PHONEMES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH"),
    *("IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH"),
    *("UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
BLANK = len(PHONEMES)
"""The CTC blank's class in the phoneme head."""

MAX_PHONEMES = 64
"""Of one pronunciation; the longest in CMUdict has 32."""

_IDS = {name: number for number, name in enumerate(PHONEMES)}


def parse_phonemes(text: str) -> bytes:
    """Return the phoneme ids of a pronunciation such as ``P AA N AH Y OW T AO F``.

    Args:
        text: Names of phonemes. Lower case and CMUdict's marks of stress (``AA1``) are accepted;
            stress is ignored.

    Returns:
        A byte for each phoneme.

    Raises:
        ValueError: A name is no phoneme, or there are none or too many; its text is one line for
            people.
    """
    names = text.split()
    if not names:
        raise ValueError("the pronunciation is empty; give phonemes such as P AA N AH Y OW T AO F")
    if len(names) > MAX_PHONEMES:
        raise ValueError(
            f"the pronunciation has {len(names)} phonemes; at most {MAX_PHONEMES} are possible"
        )
    ids = []
    for name in names:
        plain = name.upper()
        if plain[-1] in "012" and len(plain) == 3:
            plain = plain[:-1]
        if plain not in _IDS:
            raise ValueError(f"{name!r} is no phoneme; they are {' '.join(PHONEMES)}")
        ids.append(_IDS[plain])
    return bytes(ids)


def format_phonemes(pronunciation: bytes) -> str:
    """Return the names of phonemes, separated by spaces; `parse_phonemes` reads them."""
    return " ".join(PHONEMES[phoneme] for phoneme in pronunciation)
