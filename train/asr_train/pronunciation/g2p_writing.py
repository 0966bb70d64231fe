"""Writing a grapheme-to-phoneme model; `asr_runtime.language.graphone_file` describes the file."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.graphone_file import FORMAT_VERSION, MAGIC
from asr_runtime.language.phonemes import format_phonemes
from asr_train.pronunciation.graphone_ngrams import Level
from asr_train.pronunciation.graphones import Graphone

_PROBABILITIES = 32
_BACKOFFS = 16


def encode_model(
    graphones: Sequence[Graphone], levels: Sequence[Level], description: Mapping[str, Any]
) -> bytes:
    """The content of a file.

    Args:
        graphones: the inventory.
        levels: the n-grams, shortest first; each one's context and suffix are among them.
        description: JSON values for readers of the file: source, licence, error rates.
    """
    levels = [level for level in levels if len(level.symbol)]  # the longest may all be pruned
    heads = [np.unique(longer.context) for longer in levels[1:]]
    code_of, probabilities = _quantise(
        [np.log(level.probability) for level in levels], _PROBABILITIES
    )
    backoff_of, backoffs = _quantise(
        [np.log(level.backoff[head]) for level, head in zip(levels, heads, strict=False)], _BACKOFFS
    )
    data = bytearray()
    for number, level in enumerate(levels):
        data += level.symbol.astype(np.uint8).tobytes() + code_of[number].tobytes()
        if number:
            starts = np.ones(len(level.context), bool)
            starts[1:] = level.context[1:] != level.context[:-1]
            data += np.packbits(starts, bitorder="little").tobytes()
        if number < len(heads):
            is_head = np.zeros(len(level.symbol), bool)
            is_head[heads[number]] = True
            data += np.packbits(is_head, bitorder="little").tobytes() + backoff_of[number].tobytes()
    packed = zlib.compress(bytes(data), 9)
    header = {
        "format_version": FORMAT_VERSION,
        **description,
        "graphones": [f"{one.letter}:{format_phonemes(one.phonemes)}" for one in graphones],
        "ngrams": [len(level.symbol) for level in levels],
        "contexts": [len(head) for head in heads],
        "probabilities": probabilities,
        "backoffs": backoffs,
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    text = json.dumps(header).encode()
    return MAGIC + len(text).to_bytes(4, "little") + text + packed


def _quantise(
    parts: Sequence[npt.NDArray[np.float64]], codes: int
) -> tuple[list[npt.NDArray[np.uint8]], list[float]]:
    """Codes of values, and the values that they stand for.

    Half of the codes divide the values into equal shares, half the range into equal parts.
    """
    if not sum(map(len, parts)):
        return [], [0.0]
    values = np.concatenate(parts)
    half = np.linspace(0, 1, codes // 2 + 1)
    even = values.min() + half * (values.max() - values.min())
    edges = np.unique(np.concatenate([even, np.quantile(values, half)[1:-1]]))[1:-1]
    code = np.searchsorted(edges, values, side="right")
    number = np.bincount(code, minlength=len(edges) + 1)
    book = np.bincount(code, values, minlength=len(edges) + 1) / np.maximum(number, 1)
    divided = np.split(code.astype(np.uint8), np.cumsum([len(part) for part in parts])[:-1])
    return divided, [round(float(value), 4) for value in book]
