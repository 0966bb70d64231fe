"""A model from the file that the runtime reads, to score text with and to write in other forms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime import LanguageModelError
from asr_runtime.language.bit_vector import take_codes
from asr_runtime.language.language_model_file import read_arrays
from asr_runtime.language.packed_model import RARE_ARRAY
from asr_runtime.language.packed_ngrams import PackedNgrams
from asr_train.errors import DataError
from asr_train.ngram.kneser_ney import NgramModel, Order
from asr_train.ngram.pruning import set_context_probabilities
from asr_train.ngram.vocabulary import Vocabulary


def read_packed_model(path: Path) -> tuple[NgramModel, Vocabulary]:
    """All n-grams of a file of format 2 or 3, with the values that its codes stand for.

    Raises:
        DataError: a file that cannot be read, or of format 1.
    """
    try:
        header, arrays = read_arrays(path)
    except LanguageModelError as error:
        raise DataError(str(error)) from None
    if header["format_version"] < 2:
        raise DataError(f"{path}: has format 1, which is only decoded with; build it again")
    unigrams = arrays["probability_values1"][arrays["probability1"]]
    size = len(unigrams)
    ranked = np.argsort(-unigrams, kind="stable").astype(np.uint64)
    heads = np.unpackbits(arrays["heads1"], count=size, bitorder="little").astype(bool)
    backoff = np.ones(size)
    backoff[ranked[heads].astype(np.int64)] = _backoffs(arrays, 1)
    model = NgramModel(
        [
            Order(
                np.arange(size, dtype=np.uint64),
                np.exp(unigrams.astype(np.float64)),
                backoff,
                np.zeros(size),
            )
        ]
    )
    # N-grams of ranks, in the file's order.
    rows = np.arange(size, dtype=np.uint64)[heads]
    bigrams = np.zeros(0, np.uint64)
    begins: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    before = 0
    for order in range(2, header["order"] + 1):
        number = header["ngrams"][str(order)]
        ngrams = PackedNgrams(
            number,
            arrays[f"first{order}"],
            arrays[f"width{order}"],
            arrays[f"blocks{order}"],
            heads=order < header["order"],
        )
        row, value = ngrams.all()
        if order == 2:
            last = value.astype(np.uint64)
            bigrams = keys = (rows[row] << np.uint64(16)) | last
            begins = np.searchsorted(bigrams >> np.uint64(16), np.arange(size, dtype=np.uint64))
        else:
            middle = (rows[row] & np.uint64(0xFFFF)).astype(np.int64)
            last = bigrams[begins[middle] + value] & np.uint64(0xFFFF)
            keys = (rows[row] << np.uint64(16)) | last
        codes = take_codes(arrays["probability"], np.arange(before, before + number))
        before += number
        level = Order(
            _ids(keys, ranked, order),
            np.exp(arrays[f"probability_values{order}"][codes].astype(np.float64)),
            np.ones(number),
            np.zeros(number),
        )
        if order < header["order"]:
            is_head = ngrams.all_heads()
            rows = keys[is_head]
            level.backoff[is_head] = _backoffs(arrays, order)
        sorting = np.argsort(level.keys)
        level.keys, level.probability = level.keys[sorting], level.probability[sorting]
        level.backoff = level.backoff[sorting]
        model.orders.append(level)
    set_context_probabilities(model)
    return model, _vocabulary(arrays)


def _vocabulary(arrays: Mapping[str, npt.NDArray[Any]]) -> Vocabulary:
    words = bytes(arrays["words"]).split(b"\n")
    if RARE_ARRAY not in arrays:
        return Vocabulary(tuple(words))
    bits = np.unpackbits(arrays[RARE_ARRAY], count=len(words), bitorder="little").tolist()
    rare = [word for word, bit in zip(words, bits, strict=True) if bit]
    shares = arrays["share_values"][arrays["share"]].tolist()
    return Vocabulary(
        tuple(word for word, bit in zip(words, bits, strict=True) if not bit),
        dict(zip(rare, shares, strict=True)),
    )


def _backoffs(arrays: dict[str, npt.NDArray[np.generic]], order: int) -> npt.NDArray[np.float64]:
    values = np.asarray(arrays[f"backoff_values{order}"], np.float64)
    return np.exp(values[np.asarray(arrays[f"backoff{order}"], np.int64)])


def _ids(
    keys: npt.NDArray[np.uint64], ranked: npt.NDArray[np.uint64], order: int
) -> npt.NDArray[np.uint64]:
    """N-grams of ranks as n-grams of ids."""
    found = np.zeros(len(keys), np.uint64)
    for position in range(order - 1, -1, -1):
        word = (keys >> np.uint64(16 * position)) & np.uint64(0xFFFF)
        found = (found << np.uint64(16)) | ranked[word.astype(np.int64)]
    return found
