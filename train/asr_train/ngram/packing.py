"""A model's n-grams as the arrays of a file, which `asr_runtime.language` describes and reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.bit_vector import packed_codes
from asr_runtime.language.packed_model import RARE_ARRAY
from asr_runtime.language.packed_ngrams import BLOCK, VALUE_BITS
from asr_train.ngram.counting import Keys, contexts, last_words, suffixes
from asr_train.ngram.kneser_ney import NgramModel
from asr_train.ngram.quantisation import quantise
from asr_train.ngram.vocabulary import Vocabulary

Arrays = dict[str, npt.NDArray[Any]]
Integers = npt.NDArray[np.int64]


def pack(model: NgramModel, vocabulary: Vocabulary) -> Arrays:
    """The arrays of a model whose longer n-grams all have their last two words as a bigram."""
    arrays: Arrays = {"words": np.frombuffer(b"\n".join(vocabulary.spelled), np.uint8)}
    if vocabulary.rare:
        arrays |= _rare_words(vocabulary)
    codes, values = quantise(np.log(model.orders[0].probability), 8)
    arrays |= {"probability1": codes, "probability_values1": values}
    rank = np.empty(len(codes), np.int64)
    rank[np.argsort(-values[codes], kind="stable")] = np.arange(len(codes))
    # Keys in ranks, and the order in which they are sorted.
    keys = np.sort(rank).astype(np.uint64)
    sorting: Integers = np.argsort(rank)
    probabilities = []
    bigrams = np.zeros(0, np.uint64)
    begins: Integers = np.zeros(0, np.int64)
    for order in range(1, model.order + 1):
        level = model.orders[order - 1]
        if order > 1:
            ranked = _ranked(level.keys, rank, order)
            sorting = np.argsort(ranked)
            keys = ranked[sorting]
            if order == 2:
                bigrams = keys
                begins = np.searchsorted(contexts(bigrams), np.arange(len(rank) + 1))
                numbers = last_words(bigrams)
            else:
                numbers = _places(suffixes(keys, order), order, bigrams, begins)
        heads = np.zeros(len(keys), bool)
        if order < model.order:
            longer = _ranked(contexts(model.orders[order].keys), rank, order)
            heads[np.searchsorted(keys, np.unique(longer))] = True
            backoffs = np.log(level.backoff[sorting][heads])
            codes, values = quantise(backoffs, 8)
            arrays |= {f"backoff{order}": codes, f"backoff_values{order}": values}
        if order == 1:
            arrays["heads1"] = np.packbits(heads, bitorder="little")
            continue
        codes, values = quantise(np.log(level.probability[sorting]), 4)
        arrays[f"probability_values{order}"] = values
        probabilities.append(codes)
        blocks = pack_blocks(contexts(keys), numbers, heads if order < model.order else None)
        arrays |= {f"{name}{order}": array for name, array in blocks.items()}
    return arrays | {"probability": packed_codes(np.concatenate(probabilities))}


def _rare_words(vocabulary: Vocabulary) -> Arrays:
    spelled = vocabulary.spelled
    shares = [vocabulary.rare[word] for word in spelled if word in vocabulary.rare]
    codes, values = quantise(np.array(shares), 8)
    rare = np.packbits([word in vocabulary.rare for word in spelled], bitorder="little")
    return {RARE_ARRAY: rare, "share": codes, "share_values": values}


def pack_blocks(
    rows: npt.NDArray[Any],
    numbers: Integers,
    heads: npt.NDArray[np.bool_] | None,
) -> Arrays:
    """Blocks as ``PackedNgrams`` has them.

    Args:
        rows: index of each n-gram's context, sorted [ngrams].
        numbers: each n-gram's own number after its context [ngrams].
        heads: bool [ngrams], which are contexts; None if none can be.
    """
    count = max(1, -(-len(numbers) // BLOCK))
    starts = np.ones(count * BLOCK, bool)
    starts[1 : len(rows)] = rows[1:] != rows[:-1]
    packed_starts = _sliced(starts, count)
    first = _padded(numbers, count)[:, 0]
    rest = _padded(numbers, count)
    rest -= np.where(packed_starts & 0xFFFFFFFE == 0, first, 0)[:, None]
    # What is left over in the last block is zero.
    rest.reshape(-1)[len(numbers) :] = 0
    width = np.ceil(np.log2(rest.max(axis=1) + 1)).astype(np.uint8)
    planes = [packed_starts]
    if heads is not None:
        planes.append(_sliced(_padded(heads, count), count))
    sizes = width.astype(np.int64) + len(planes)
    offsets = sizes.cumsum() - sizes
    blocks = np.zeros(int(sizes.sum()) + VALUE_BITS, np.uint32)
    for column, plane in enumerate(planes):
        blocks[offsets + column] = plane
    for bit in range(VALUE_BITS):
        has = width > bit
        blocks[offsets[has] + len(planes) + bit] = _sliced(rest[has] >> bit & 1, int(has.sum()))
    return {"first": first.astype(np.uint16), "width": width, "blocks": blocks}


def _ranked(keys: Keys, rank: Integers, order: int) -> Keys:
    """N-grams of ids as n-grams of ranks."""
    ranked = np.zeros(len(keys), np.uint64)
    for position in range(order - 1, -1, -1):
        word = last_words(keys >> np.uint64(16 * position))
        ranked = (ranked << np.uint64(16)) | rank[word].astype(np.uint64)
    return ranked


def _places(keys: Keys, order: int, bigrams: Keys, begins: Integers) -> Integers:
    """Places of the last two words of n-grams among the bigrams of the last word but one."""
    last = keys & np.uint64(0xFFFFFFFF)
    index = np.searchsorted(bigrams, last)
    if len(last) and not (bigrams[np.minimum(index, len(bigrams) - 1)] == last).all():
        raise ValueError("an n-gram's last two words are no bigram of the model")
    places: Integers = index - begins[last_words(last >> np.uint64(16))]
    return places


def _padded(values: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    padded = np.zeros(count * BLOCK, values.dtype)
    padded[: len(values)] = values
    return padded.reshape(count, BLOCK)


def _sliced(bits: npt.NDArray[Any], count: int) -> npt.NDArray[np.uint32]:
    """32 bits of each block as one number."""
    packed = np.packbits(bits.reshape(count, BLOCK), axis=1, bitorder="little")
    found: npt.NDArray[np.uint32] = packed.view("<u4")[:, 0].astype(np.uint32)
    return found
