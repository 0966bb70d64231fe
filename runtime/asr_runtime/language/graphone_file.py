"""The file of a grapheme-to-phoneme model.

The bytes MAGIC, the header's length (4 bytes, little-endian), the header (JSON) and, compressed by
zlib, the arrays one after the other. The header lists the graphones (``x:K S``; graphone i has
symbol i + 1), the numbers of n-grams of each length, and of those that are contexts of longer ones.
The arrays, for each length n from 1, sorted by context and symbol:

- last symbols, a byte each, BOUNDARY among them;
- natural-log probabilities, a byte each, places in the header's ``probabilities``;
- but for n = 1, bits: where the n-grams of the next context begin;
- but for the longest, bits: which n-grams are contexts, and for each of those a byte, the place of
  its natural-log back-off weight in the header's ``backoffs``.

Every n-gram's context and suffix (what is left without its last and its first symbol) is there too.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.bounded_json import parse_object
from asr_runtime.errors import ModelFileError
from asr_runtime.language.graphone_search import BOUNDARY, SYMBOL_BITS, GraphoneTrie
from asr_runtime.language.phonemes import parse_phonemes

MAGIC = b"ASRSPELL"
FORMAT_VERSION = 1
MAX_GRAPHONE_ORDER = 12
MAX_NGRAMS = 1 << 21
"""Of all lengths together; the model in this package has 0.5 million."""
_MAX_BYTES = 1 << 24


@dataclass(frozen=True)
class GraphoneModel:
    """What a file holds.

    Attributes:
        header: Its JSON, for people.
        graphones: Letter and phonemes of each graphone.
        trie: Their n-grams.
    """

    header: dict[str, Any]
    graphones: list[tuple[str, bytes]]
    trie: GraphoneTrie


def read_graphone_model(path: Path) -> GraphoneModel:
    """Read a model that ``asr-train g2p`` wrote.

    Args:
        path: The file.

    Returns:
        The model.

    Raises:
        ModelFileError: The file is none, is damaged or of a newer format. Its path is the error's
            subject.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise ModelFileError(
            f"cannot be opened ({error.strerror or error}); check the path", str(path)
        ) from None
    if content[: len(MAGIC)] != MAGIC:
        raise ModelFileError(
            "is not a grapheme-to-phoneme model; give a file that asr-train g2p wrote", str(path)
        )
    try:
        return _parse(content)
    except ModelFileError as error:
        error.subject = str(path)
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, zlib.error):
        raise ModelFileError(
            "is a damaged grapheme-to-phoneme model; copy it again", str(path)
        ) from None


def _parse(content: bytes) -> GraphoneModel:
    first = len(MAGIC) + 4
    begin = first + int.from_bytes(content[len(MAGIC) : first], "little")
    header = parse_object(content[first:begin].decode("utf-8"))
    if header["format_version"] > FORMAT_VERSION:
        raise ModelFileError(
            f"has grapheme-to-phoneme format {header['format_version']}, which this version does "
            "not read; upgrade with: pip install --upgrade asr-runtime"
        )
    if hashlib.sha256(content[begin:]).hexdigest() != header["sha256"]:
        raise ValueError("its checksum is wrong")
    graphones = [_parse_graphone(text) for text in header["graphones"]]
    numbers, heads = header["ngrams"], header["contexts"]
    if not 1 <= len(numbers) <= MAX_GRAPHONE_ORDER or len(heads) != len(numbers) - 1:
        raise ValueError("the order is impossible")
    if not all(0 < head <= number for head, number in zip(heads, numbers, strict=False)):
        raise ValueError("the numbers of contexts are impossible")
    if min(numbers) < 1 or sum(numbers) > MAX_NGRAMS:
        raise ValueError("the numbers of n-grams are impossible")
    if numbers[0] != len(graphones) + 1 or numbers[0] > 1 << SYMBOL_BITS:
        raise ValueError("the numbers of graphones and symbols differ")
    size = _size(numbers, heads)
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(content[begin:], size)
    if len(data) != size:
        raise ValueError("the arrays are cut off")
    trie = _build(
        np.frombuffer(data, np.uint8),
        numbers,
        heads,
        _book(header["probabilities"], 0.0),
        _book(header["backoffs"], 1e2),
    )
    return GraphoneModel(header, graphones, trie)


def _parse_graphone(text: str) -> tuple[str, bytes]:
    letter, _, phonemes = text.partition(":")
    if len(letter) != 1:
        raise ValueError("a graphone has no letter")
    return letter, parse_phonemes(phonemes) if phonemes else b""


def _book(values: list[float], most: float) -> npt.NDArray[np.float32]:
    book = np.array(values, np.float32)
    # A NaN is neither.
    if book.ndim != 1 or not len(book) or not ((book >= -1e4) & (book <= most)).all():
        raise ValueError("values that are no logarithms of probabilities")
    return book


def _size(numbers: list[int], heads: list[int]) -> int:
    size = 2 * sum(numbers) + sum(heads)
    size += sum(math.ceil(number / 8) for number in numbers[1:])
    return size + sum(math.ceil(number / 8) for number in numbers[:-1])


def _build(
    data: npt.NDArray[np.uint8],
    numbers: list[int],
    heads: list[int],
    probabilities: npt.NDArray[np.float32],
    backoffs: npt.NDArray[np.float32],
) -> GraphoneTrie:
    place = 0

    def take(number: int) -> npt.NDArray[np.uint8]:
        nonlocal place
        place += number
        return data[place - number : place]

    def take_bits(number: int, ones: int) -> npt.NDArray[np.int64]:
        bits = np.unpackbits(take(math.ceil(number / 8)), count=number, bitorder="little")
        found = np.flatnonzero(bits)
        if len(found) != ones:
            raise ValueError("n-grams and their contexts differ in number")
        return found

    nodes = 1 + sum(numbers)
    keys = np.zeros(nodes - 1, np.uint32)
    score, backoff = np.zeros(nodes, np.float32), np.zeros(nodes, np.float32)
    suffix = np.zeros(nodes, np.int32)
    trie = GraphoneTrie(keys, score, backoff, suffix)
    context_nodes = np.zeros(1, np.int64)
    first = [1, *(1 + np.cumsum(numbers))]
    for level, (begin, end) in enumerate(pairwise(first)):
        number = end - begin
        symbol = take(number)
        score[begin:end] = probabilities[take(number)]
        context = np.zeros(number, np.int64)
        if level:
            starts = take_bits(number, len(context_nodes))
            if starts[0]:
                raise ValueError("the first n-gram has no context")
            context = np.repeat(context_nodes, np.diff(starts, append=number))
        keys[begin - 1 : end - 1] = (context << SYMBOL_BITS) | symbol
        if level < len(numbers) - 1:
            context_nodes = begin + take_bits(number, heads[level])
            backoff[context_nodes] = backoffs[take(heads[level])]
        if level:
            # All shorter n-grams are known by now; those of this length are above every key sought.
            shorter = GraphoneTrie(keys[: begin - 1], score, backoff, suffix)
            suffix[begin:end] = shorter.find(suffix[context], symbol.astype(np.int32))
            if not suffix[begin:end].all():
                raise ValueError("an n-gram's suffix is missing")
    if not (np.diff(keys.astype(np.int64)) > 0).all() or keys[0] != BOUNDARY:
        raise ValueError("the n-grams are not sorted")
    if (keys[: numbers[0]] != np.arange(numbers[0])).any():
        raise ValueError("a symbol is missing")
    return trie
