"""Word n-gram language models in one file that is mapped into memory.

The file: the bytes MAGIC, the header's length (4 bytes, little-endian), the header (JSON, padded
with spaces to a multiple of 64 bytes from the file's start) and the arrays, little-endian. The
header gives each array's type, length and offset from the header's end, and the SHA-256 of all
arrays together. The arrays, where n is an order from 1:

- ``words``: the vocabulary in alphabetical order, joined by newlines; word ids start at FIRST_WORD.
- ``word<n>`` uint16: last words of the n-grams, sorted by context and word. Order 1 has all ids.
- ``probability<n>`` uint8, ``probability_values<n>`` float32: codes, and their natural logarithms.
- ``starts<n>`` bits: where the n-grams of the next context begin.
- ``heads<n>`` bits: which n-grams are contexts of longer ones; the contexts of order n + 1 in turn.
- ``backoff<n>`` uint8, ``backoff_values<n>`` float32: of the contexts alone, as probabilities.
"""

import hashlib
import mmap
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.bounded_json import parse_object
from asr_runtime.errors import LanguageModelError
from asr_runtime.language.bits import RankedBits
from asr_runtime.language.language_model_checks import check_arrays
from asr_runtime.language.pronunciations import COUNTS_ARRAY, PHONEMES_ARRAY, Pronunciations

MAGIC = b"ASRNGRAM"
FORMAT_VERSION = 1
UNKNOWN = 0
"""Id of every word outside the vocabulary."""
BOUNDARY = 1
"""Id of a sentence's start as context, and of its end as a word."""
FIRST_WORD = 2
MAX_ORDER = 3

_WORD_BITS = 16
_TYPES = {"uint8", "uint16", "float32"}


class LanguageModel:
    """Probabilities of words after the words before them.

    A state stands for the words before: ids of the vocabulary for the last word alone, and numbers
    from there on for the last two where the model tells them apart. `start` is the state at the
    beginning of a sentence.
    """

    start = BOUNDARY

    def __init__(self, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.header = header
        self._text = bytes(arrays["words"])
        self._spoken = {
            name: arrays[name] for name in (PHONEMES_ARRAY, COUNTS_ARRAY) if name in arrays
        }
        self.order: int = header["order"]
        self._unigram: npt.NDArray[np.float32] = arrays["probability_values1"][
            arrays["probability1"]
        ]
        size = len(self._unigram)
        if size != self._text.count(b"\n") + 1 + FIRST_WORD:
            raise ValueError("its words and probabilities differ in number")
        heads = _bits(arrays["heads1"], size)
        self._backoff1 = np.zeros(size, np.float32)
        self._backoff1[heads] = arrays["backoff_values1"][arrays["backoff1"]]
        self._keys2 = _keys(arrays, 2, np.flatnonzero(heads).astype(np.uint32))
        self._probability2 = arrays["probability2"]
        self._values2 = arrays["probability_values2"]
        if self.order == 3:
            self._heads2 = RankedBits(arrays["heads2"], len(self._keys2))
            contexts = np.flatnonzero(_bits(arrays["heads2"], len(self._keys2)))
            # Their numbers without what is above the word's place: sorted in blocks of contexts.
            self._keys3 = _keys(arrays, 3, np.arange(len(contexts), dtype=np.uint32))
            begins = np.flatnonzero(_bits(arrays["starts3"], len(self._keys3)))
            self._blocks = np.append(begins[:: 1 << _WORD_BITS], len(self._keys3)).tolist()
            self._probability3 = arrays["probability3"]
            self._values3 = arrays["probability_values3"]
            self._backoff2 = arrays["backoff_values2"][arrays["backoff2"]]
            self._last = arrays["word2"][contexts]

    @property
    def words(self) -> list[str]:
        """The vocabulary, ASCII, in alphabetical order; word ids start at FIRST_WORD.

        Made anew each time: as strings it takes eight times the memory.
        """
        return self._text.decode("ascii").split("\n")

    @property
    def unigrams(self) -> npt.NDArray[np.float32]:
        """Natural-log probability of each word id by itself."""
        return self._unigram

    def pronunciations(self) -> Pronunciations | None:
        """How the words of the vocabulary are spoken, None of a file that does not say.

        Made anew each time, as `words` are.
        """
        if not {PHONEMES_ARRAY, COUNTS_ARRAY} <= self._spoken.keys():
            return None
        return Pronunciations.from_arrays(self._spoken, self._text.count(b"\n") + 1)

    def score(
        self, states: npt.NDArray[np.int32], words: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Natural-log probability of each word after its state, and the state that follows it.

        states, words: [queries]; so are both results.
        """
        size = len(self._unigram)
        longer = states >= size
        context = states
        if longer.any():
            row = np.where(longer, states - size, 0)
            context = np.where(longer, self._last[row], states)
        # Of one type with the table, or numpy would convert the table for every call.
        keys = (context.astype(np.uint32) << np.uint32(_WORD_BITS)) | words.astype(np.uint32)
        index = np.minimum(np.searchsorted(self._keys2, keys), len(self._keys2) - 1)
        seen = self._keys2[index] == keys
        scores = np.where(
            seen,
            self._values2[self._probability2[index]],
            self._backoff1[context] + self._unigram[words],
        )
        following = words.astype(np.int32)
        if self.order == 3:
            # Itself if the bigram is a context, else its last word.
            head = seen & self._heads2.at(index)
            following[head] = size + self._heads2.rank(index[head])
        if longer.any():
            keys = (row.astype(np.uint32) << np.uint32(_WORD_BITS)) | words.astype(np.uint32)
            index = self._find3(keys, row >> _WORD_BITS)
            seen = longer & (self._keys3[index] == keys)
            scores = scores + np.where(longer, self._backoff2[row], np.float32(0))
            scores[seen] = self._values3[self._probability3[index[seen]]]
        return scores, following

    def _find3(
        self, keys: npt.NDArray[np.uint32], block: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int64]:
        """Where each key is in its block of trigrams, or would be."""
        index = np.zeros(len(keys), np.int64)
        for number, (begin, end) in enumerate(pairwise(self._blocks)):
            found = np.searchsorted(self._keys3[begin:end], keys)
            np.copyto(index, begin + np.minimum(found, end - begin - 1), where=block == number)
        return index


def read_language_model(path: Path) -> LanguageModel:
    """Open a language model that ``asr-train language-model`` wrote.

    Raises LanguageModelError, with the path as its subject, for a file that is none, is damaged or
    cut off, or of a newer format.

    The file stays mapped while the model is in use. To exchange it, put the new file in its place
    under its name (as ``mv`` does); one that is shortened in place ends every process that uses it.
    """
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise LanguageModelError(
            "there is no such language model file; check the path", str(path)
        ) from None
    except IsADirectoryError:
        raise LanguageModelError("is a directory; give a language model file", str(path)) from None
    except ValueError:  # an empty file cannot be mapped
        raise LanguageModelError("is empty; build or copy it again", str(path)) from None
    except OSError as error:
        raise LanguageModelError(
            f"cannot be opened ({error.strerror or error}); check the path", str(path)
        ) from None
    try:
        header, arrays = _parse(content)
        check_arrays(arrays, header["order"])
        model = LanguageModel(header, arrays)
        if hasattr(content, "madvise"):
            # Of all that was read to check it, the search will need a little here and there.
            content.madvise(mmap.MADV_DONTNEED)
        return model
    except LanguageModelError as error:
        error.subject = str(path)
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
        raise LanguageModelError("is a damaged language model; copy it again", str(path)) from None


def _parse(content: mmap.mmap) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    first = len(MAGIC) + 4
    if content[: len(MAGIC)] != MAGIC:
        raise LanguageModelError(
            "is not a language model; give a file that asr-train language-model wrote"
        )
    begin = first + int.from_bytes(content[len(MAGIC) : first], "little")
    if begin > len(content):
        raise ValueError("the header reaches past the end")
    header = parse_object(content[first:begin].decode("utf-8"))
    if not isinstance(header["order"], int):
        raise ValueError("the order is no integer")
    if header["format_version"] > FORMAT_VERSION or not 2 <= header["order"] <= MAX_ORDER:
        raise LanguageModelError(
            f"has language model format {header['format_version']}, order {header['order']}, which "
            "this version does not read; upgrade with: pip install --upgrade asr-runtime"
        )
    if len(content) != begin + header["bytes"]:
        raise LanguageModelError(
            f"is cut off or damaged ({len(content)} bytes and not {begin + header['bytes']}); "
            "copy it again"
        )
    if hashlib.sha256(memoryview(content)[begin:]).hexdigest() != header["sha256"]:
        raise LanguageModelError("is damaged (its checksum is wrong); copy it again")
    arrays = {}
    for name, place in header["arrays"].items():
        if place["type"] not in _TYPES:
            raise ValueError(place["type"])
        if min(place["length"], place["offset"]) < 0:
            raise ValueError("an array is outside of the file")
        little = np.dtype(place["type"]).newbyteorder("<")
        array = np.frombuffer(content, little, place["length"], begin + place["offset"])
        arrays[name] = array.astype(place["type"], copy=False)
    return header, arrays


def _bits(packed: npt.NDArray[np.uint8], number: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(packed, count=number, bitorder="little").astype(bool)


def _keys(
    arrays: Mapping[str, npt.NDArray[Any]], order: int, contexts: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Context and word of each n-gram in one sorted number, of the contexts' type."""
    words = arrays[f"word{order}"]
    context = np.cumsum(_bits(arrays[f"starts{order}"], len(words)), dtype=np.int32)
    context -= 1
    keys: npt.NDArray[Any] = contexts[context]
    keys <<= _WORD_BITS
    keys |= words
    return keys
