"""Writing a model as the one file that asr_runtime maps into memory.

The layout is described in `asr_runtime.language.language_model`, which reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import FORMAT_VERSION, MAGIC
from asr_train.ngram.counting import contexts, last_words
from asr_train.ngram.kneser_ney import Floats, NgramModel, Order
from asr_train.ngram.vocabulary import Vocabulary

_ALIGNMENT = 64
_HEADER_BYTES = 4096
_CODES = 256


def file_size(word_bytes: int, numbers: list[int], context_numbers: list[int]) -> int:
    """Bytes of a model file, rounded up a little.

    word_bytes: length of the vocabulary joined by newlines.
    numbers, context_numbers: of the n-grams of each order, and of those that are contexts.
    """
    size = _HEADER_BYTES + word_bytes
    for index, (ngrams, heads) in enumerate(zip(numbers, context_numbers, strict=True)):
        size += ngrams + 4 * _CODES + _ALIGNMENT * 6
        if index:  # words, and one bit for where a context begins
            size += 2 * ngrams + ngrams // 8
        if index < len(numbers) - 1:
            size += ngrams // 8 + heads + 4 * _CODES
    return size


def write_language_model(
    path: Path, model: NgramModel, vocabulary: Vocabulary, description: Mapping[str, Any]
) -> None:
    """Write a model with its log-probabilities and back-off weights as codes of 8 bits.

    description: JSON values for readers of the file: source, licence, perplexity.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        "words": np.frombuffer(b"\n".join(vocabulary.words), np.uint8)
    }
    numbers = {}
    for index, level in enumerate(model.orders):
        order = index + 1
        longer = model.orders[order] if order < model.order else None
        numbers[str(order)] = len(level.keys)
        arrays |= {f"{name}{order}": array for name, array in _level(level, order, longer).items()}
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "order": model.order,
        "ngrams": numbers,
        **description,
    }
    data = bytearray()
    places = {}
    for name, array in arrays.items():
        data += b"\0" * (-len(data) % _ALIGNMENT)
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        places[name] = {
            "offset": len(data),
            "length": len(array),
            "type": little.dtype.name,
        }
        data += little.tobytes()
    header |= {"arrays": places, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(header).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text)) % _ALIGNMENT)
    path.write_bytes(MAGIC + len(text).to_bytes(4, "little") + text + data)


def _level(level: Order, order: int, longer: Order | None) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {}
    codes, book = quantise(np.log(level.probability))
    arrays |= {"probability": codes, "probability_values": book}
    if order > 1:
        arrays["word"] = last_words(level.keys).astype(np.uint16)
        parent = contexts(level.keys)
        starts = np.ones(len(parent), bool)
        starts[1:] = parent[1:] != parent[:-1]
        arrays["starts"] = np.packbits(starts, bitorder="little")
    if longer is not None:
        heads = np.zeros(len(level.keys), bool)
        heads[np.searchsorted(level.keys, np.unique(contexts(longer.keys)))] = True
        codes, book = quantise(np.log(level.backoff[heads]))
        arrays |= {
            "heads": np.packbits(heads, bitorder="little"),
            "backoff": codes,
            "backoff_values": book,
        }
    return arrays


def quantise(values: Floats) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Codes [values] into a book of up to 256 values, those of equal shares of the values.

    Each share is represented by its mean, so that the error is small where most values are; half
    the shares divide the range evenly instead, which bounds the error of rare values.
    """
    if not len(values):
        return np.zeros(0, np.uint8), np.zeros(1, np.float32)
    even = np.linspace(values.min(), values.max(), _CODES // 2 + 1)
    equal = np.quantile(values, np.linspace(0, 1, _CODES // 2 + 1))
    edges = np.unique(np.concatenate([even, equal[1:-1]]))[1:-1]
    codes = np.searchsorted(edges, values, side="right")
    number = np.bincount(codes, minlength=len(edges) + 1)
    book = np.bincount(codes, values, minlength=len(edges) + 1) / np.maximum(number, 1)
    return codes.astype(np.uint8), book.astype(np.float32)
