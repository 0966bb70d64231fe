"""Packing a vocabulary's pronunciations; `asr_runtime.language.pronunciations` unpacks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.grapheme_to_phoneme import load_grapheme_to_phoneme
from asr_runtime.language.pronunciations import (
    COUNTS_ARRAY,
    END,
    MAX_VARIANTS,
    PHONEMES_ARRAY,
    SYMBOLS,
    SYMBOLS_A_NUMBER,
)
from asr_train.pronunciation.cmudict import read_cmudict
from asr_train.pronunciation.lexicon import make_lexicon, read_lexicon, spell


def pronounce_vocabulary(
    vocabulary: Sequence[bytes], lexicon: Path | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Packed pronunciations of English words, arrays [any], as ``asr-train lexicon`` speaks them.

    Args:
        vocabulary: ASCII words, in their order.
        lexicon: pronunciations that are taken in place of those, for the words that it has.

    Raises:
        DataError: an unusable lexicon.
    """
    words = [word.decode("ascii") for word in vocabulary]
    return pack_pronunciations(words, pronounce_words(words, lexicon))


def pronounce_words(
    words: Sequence[str], lexicon: Path | None = None
) -> Mapping[str, Sequence[bytes]]:
    """Pronunciations of English words as phoneme ids; see `pronounce_vocabulary`."""
    own = read_lexicon(lexicon) if lexicon is not None else {}
    others = [word for word in words if word not in own]
    made = make_lexicon(others, read_cmudict(), spell(load_grapheme_to_phoneme()))
    return made.words | own


def pack_pronunciations(
    words: Sequence[str], lexicon: Mapping[str, Sequence[bytes]]
) -> dict[str, npt.NDArray[Any]]:
    """The named arrays, each one-dimensional [any], that a language model file may hold.

    Args:
        words: the vocabulary, in its order.
        lexicon: pronunciations of words as phoneme ids, the usual one first; the first
            ``MAX_VARIANTS`` of each are kept, and a word that is not there has none.
    """
    symbols = bytearray()
    bits = []
    for word in words:
        spoken = list(dict.fromkeys(lexicon.get(word, ())))[:MAX_VARIANTS]
        for one in spoken:
            symbols += one
            symbols.append(END)
        bits += [0] * len(spoken) + [1]
    symbols += bytes([END]) * (-len(symbols) % SYMBOLS_A_NUMBER)
    columns = np.frombuffer(bytes(symbols), np.uint8).reshape(-1, SYMBOLS_A_NUMBER)
    packed = np.zeros(len(columns), np.uint16)
    for column in columns.T:
        packed = packed * np.uint16(SYMBOLS) + column
    return {
        PHONEMES_ARRAY: packed,
        COUNTS_ARRAY: np.packbits(np.array(bits, np.uint8), bitorder="little"),
    }
