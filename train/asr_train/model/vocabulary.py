"""The 29 classes of the model contract: ``'``, space, ``a``-``z`` (0-27) and the CTC blank (28)."""

from __future__ import annotations

import itertools

CHARACTERS = "' abcdefghijklmnopqrstuvwxyz"
BLANK_ID = len(CHARACTERS)
BLANK_SYMBOL = "<blk>"
NUM_CLASSES = len(CHARACTERS) + 1
#: Symbol of every class, in class order.
VOCABULARY: tuple[str, ...] = (*CHARACTERS, BLANK_SYMBOL)

_CLASS_OF = {character: index for index, character in enumerate(CHARACTERS)}


def encode(text: str) -> list[int]:
    """Class indices of a transcript; ``KeyError`` on a character outside the alphabet."""
    return [_CLASS_OF[character] for character in text]


def foreign_characters(text: str) -> str:
    """The distinct characters of ``text`` that the model has no class for, sorted."""
    return "".join(sorted(set(text) - _CLASS_OF.keys()))


def min_frames_for_ctc(text: str) -> int:
    """Fewest frames on which CTC can emit ``text``: one a character, one blank between repeats."""
    repeats = sum(a == b for a, b in itertools.pairwise(text))
    return len(text) + repeats
