"""A vocabulary's pronunciations with those of words that a user adds to it."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np

from asr_runtime.language.pronunciations import Pronunciations


def add_pronunciations(
    pronunciations: Pronunciations,
    known: Sequence[str],
    words: Sequence[str],
    added: Mapping[str, Sequence[bytes]],
) -> Pronunciations:
    """The pronunciations of a larger vocabulary.

    pronunciations: of `known`, which are sorted.
    words: these and those of `added`, sorted; the result has their numbers.
    added: pronunciations of new words, or further ones of known words.
    """
    if not added:
        return pronunciations
    new = [bisect_left(known, word) for word in sorted(set(words).difference(known))]
    old = pronunciations.word + np.searchsorted(new, pronunciations.word, side="right")
    # The old ones come first, so that a word's usual pronunciation stays the first one.
    further = [
        (bisect_left(words, word), spoken)
        for word, variants in added.items()
        for spoken in variants
        if spoken not in spoken_as(pronunciations, known, word)
    ]
    word = np.concatenate((old, [number for number, _ in further])).astype(np.int32)
    lengths = np.concatenate(
        (np.diff(pronunciations.offsets), [len(spoken) for _, spoken in further])
    ).astype(np.int64)
    phonemes = np.frombuffer(
        pronunciations.phonemes.tobytes() + b"".join(spoken for _, spoken in further), np.uint8
    )
    order = np.argsort(word, kind="stable")
    begin = (lengths.cumsum() - lengths)[order]
    lengths = lengths[order]
    offsets = np.zeros(len(word) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    place = np.arange(len(phonemes)) + np.repeat(begin - offsets[:-1], lengths)
    return Pronunciations(word[order], offsets, phonemes[place])


def spoken_as(pronunciations: Pronunciations, known: Sequence[str], word: str) -> tuple[bytes, ...]:
    """The pronunciations of a word, none if it is not one of `known`, which are sorted."""
    place = bisect_left(known, word)
    if place == len(known) or known[place] != word:
        return ()
    return pronunciations.of(place)
