"""Packing a vocabulary's pronunciations; `asr_runtime.language.pronunciations` unpacks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.pronunciations import (
    COUNTS_ARRAY,
    END,
    MAX_VARIANTS,
    PHONEMES_ARRAY,
    SYMBOLS,
    SYMBOLS_A_NUMBER,
)


def pack_pronunciations(
    words: Sequence[str], lexicon: Mapping[str, Sequence[bytes]]
) -> dict[str, npt.NDArray[Any]]:
    """The named arrays that a language model file may hold.

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
