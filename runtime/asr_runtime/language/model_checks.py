"""Whether a language model's content fits together; its checksum says only that nobody changed it.

Everything that `expanded_model` later uses as an index, and all sizes that decide how much memory
the search takes, are checked here once. What the blocks of `packed_model` say can lead nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Arrays = Mapping[str, npt.NDArray[Any]]

MAX_LETTERS = 1 << 21
"""Of all words together; of the model in this package, 0.5 million."""

MAX_WORD_TABLE = 1 << 24
"""Words times the letters of the longest, which the search's lexicon is built from."""

_NEW_LINE, _FIRST_LETTER, _LAST_LETTER = (ord(letter) for letter in "\n ~")

_LEAST, _MOST = -1e4, 1e2
"""Natural logarithms of probabilities (at most 0) and of back-off factors."""


def check_packed(arrays: Arrays, order: int) -> None:
    """Check arrays of formats 2 and 3.

    Whether they fit each other is checked where they are put together.

    Args:
        arrays: Arrays of the file by name.
        order: Words of the longest n-grams.

    Raises:
        ValueError: The arrays make no model.
        KeyError: An array is missing.
    """
    words = _check_words(arrays["words"])
    if "rare" in arrays:
        rare = _count_bits(arrays["rare"], words)
        _check_codes(arrays, "share", rare, most=0.0)
        words -= rare
    size = _check_size(words)
    _check_codes(arrays, "probability1", size, most=0.0)
    if len(_typed(arrays["heads1"], np.uint8)) != (size + 7) // 8:
        raise ValueError("bits are missing")
    _typed(arrays["probability"], np.uint8)
    for level in range(1, order):
        _check_codes(arrays, f"backoff{level}", len(arrays[f"backoff{level}"]), most=_MOST)
        _typed(arrays[f"first{level + 1}"], np.uint16)
        _typed(arrays[f"width{level + 1}"], np.uint8)
        _typed(arrays[f"blocks{level + 1}"], np.uint32)
        _check_values(arrays[f"probability_values{level + 1}"], most=0.0)


def check_expanded(arrays: Arrays, order: int) -> None:
    """Check arrays of format 1.

    Args:
        arrays: Arrays of the file by name.
        order: Words of the longest n-grams.

    Raises:
        ValueError: The arrays make no model.
        KeyError: An array is missing.
    """
    size = _check_size(_check_words(arrays["words"]))
    _check_codes(arrays, "probability1", size, most=0.0)
    contexts = size
    for level in range(1, order):
        number = size if level == 1 else len(arrays[f"word{level}"])
        contexts = _count_bits(arrays[f"heads{level}"], number)
        _check_codes(arrays, f"backoff{level}", contexts, most=_MOST)
        words = _typed(arrays[f"word{level + 1}"], np.uint16)
        _check_codes(arrays, f"probability{level + 1}", len(words), most=0.0)
        if words.max(initial=0) >= size:
            raise ValueError("an n-gram has a word that is not in the vocabulary")
        starts = arrays[f"starts{level + 1}"]
        if _count_bits(starts, len(words)) != contexts or (len(words) and not starts[0] & 1):
            raise ValueError("n-grams and their contexts differ in number")
    if not len(arrays["word2"]):
        raise ValueError("it has no bigrams")


def _check_words(text: npt.NDArray[np.uint8]) -> int:
    """Return the number of words, which are ASCII, distinct and sorted."""
    text = _typed(text, np.uint8)
    ends = np.append(np.flatnonzero(text == _NEW_LINE), len(text))
    begins = np.append(0, ends[:-1] + 1)
    lengths = ends - begins
    if len(text) > MAX_LETTERS or len(lengths) * lengths.max() > MAX_WORD_TABLE:
        raise ValueError("the vocabulary is too large")
    if not ((text >= _FIRST_LETTER) & (text <= _LAST_LETTER) | (text == _NEW_LINE)).all():
        raise ValueError("the words are not text")
    if not lengths.all() or not _are_sorted(text, begins, lengths):
        raise ValueError("the words are not sorted")
    return len(lengths)


def _are_sorted(
    text: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> bool:
    """Tell whether each word comes after the one before it.

    Eight letters of all words are compared at once, as one number, then eight more of those that
    are still equal. Strings of Python take five times as long.

    Args:
        text: Letters of all words, of which none is 0, uint8.
        begins: Place of each one's first letter, int64 [words].
        lengths: Letters of each, 1 or more, int64 [words].
    """
    letters = sliding_window_view(np.append(text, np.zeros(8, np.uint8)), 8)
    key = np.zeros(len(begins), np.uint64)
    equal = np.ones(len(begins) - 1, bool)
    for done in range(0, int(lengths.max()), 8):
        words = (np.append(equal, False) | np.append(False, equal)).nonzero()[0]
        # What follows a word is none of its letters.
        beyond = (8 * np.maximum(8 + done - lengths[words], 0)).astype(np.uint64)
        numbers = letters[begins[words] + done].view(">u8")[:, 0].astype(np.uint64)
        key[words] = numbers >> beyond << beyond
        if (equal & (key[:-1] > key[1:])).any():
            return False
        equal &= key[:-1] == key[1:]
        # Of two that are equal so far, the second one must go on; the first one may end.
        if (equal & (lengths[1:] <= done + 8)).any():
            return False
        equal &= lengths[:-1] > done + 8
    return True


def _check_size(words: int) -> int:
    """Return the number of ids, those of the unknown word and of the boundary included."""
    if words > np.iinfo(np.uint16).max - 1:
        raise ValueError("there are too many words for their ids")
    return words + 2


def _check_codes(arrays: Arrays, name: str, number: int, most: float) -> None:
    """Check that there are so many codes of values from _LEAST to `most`."""
    base = name.rstrip("0123456789")
    codes = _typed(arrays[name], np.uint8)
    values = _check_values(arrays[f"{base}_values{name[len(base) :]}"], most)
    if len(codes) != number or (number and codes.max() >= len(values)):
        raise ValueError(f"{name} has wrong codes")


def _check_values(array: npt.NDArray[Any], most: float) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = _typed(array, np.float32)
    # A NaN is neither.
    if not ((values >= _LEAST) & (values <= most)).all():
        raise ValueError("there are values that are no logarithms of probabilities")
    return values


def _count_bits(packed: npt.NDArray[np.uint8], number: int) -> int:
    """Count the bits that are set among so many, in as many bytes as they need."""
    if len(_typed(packed, np.uint8)) != (number + 7) // 8:
        raise ValueError("bits are missing")
    return int(np.count_nonzero(np.unpackbits(packed, count=number, bitorder="little")))


def _typed(array: npt.NDArray[Any], kind: type[np.generic]) -> npt.NDArray[Any]:
    if array.dtype != kind:
        raise ValueError(f"an array is of {array.dtype} and not {np.dtype(kind)}")
    return array
