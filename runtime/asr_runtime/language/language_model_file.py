"""Word n-gram language models in one file that is mapped into memory.

The file: the bytes MAGIC, the header's length (4 bytes, little-endian), the header (JSON, padded
with spaces to a multiple of 64 bytes from the file's start) and the arrays, little-endian. The
header gives the order, how many n-grams of each order there are, each array's type, length and
offset from the header's end, and the SHA-256 of all arrays together. Arrays that a reader does not
know are no concern of its. In formats 2 and 3 (`expanded_model` has format 1), where n is an order
from 2:

- ``words``: the vocabulary in alphabetical order, joined by newlines; word ids start at FIRST_WORD.
- ``probability1`` uint8, ``probability_values1`` float32: of each id, a code and its natural
  logarithm. Ids are ranked by it, the most probable first, and by id where it is the same.
- ``heads1`` bits: which ranks are contexts of bigrams.
- ``first<n>`` uint16, ``width<n>`` uint8, ``blocks<n>`` uint32: the n-grams as `PackedNgrams` has
  them, in the order of their contexts' ranks and their own. The number of a bigram within its row
  is its last word's rank; that of a longer n-gram is the place of its last two words among the
  bigrams of the last word but one. So these must be a bigram of the model.
- ``probability`` uint8: codes of all bigrams, then of all trigrams, two a byte, the first one in
  the low bits; ``probability_values<n>`` float32: natural logarithms for the 16 codes.
- ``rare`` bits, in format 3: which of ``words`` no n-gram knows; to them they are the
  unknown word. They have no codes in ``probability1``, and no ranks.
- ``share`` uint8, ``share_values`` float32, in format 3: of each rare word a code and the natural
  logarithm of its share of the unknown word's probability.
- ``backoff<n>`` uint8, ``backoff_values<n>`` float32, from n = 1: back-off weights of the contexts
  alone, as codes, and their natural logarithms.

A file may also hold a neural network, see `word_network`.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from asr_runtime.bounded_json import parse_object
from asr_runtime.errors import LanguageModelError
from asr_runtime.language.expanded_model import ExpandedModel
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.model_checks import check_expanded, check_packed
from asr_runtime.language.packed_model import PackedModel

DEFAULT_LANGUAGE_MODEL = Path(__file__).parents[1] / "models" / "english.lm"

MAGIC = b"ASRNGRAM"
FORMAT_VERSION = 3
"""Of files with rare words; those without are still written in format 2."""
MAX_READABLE_ORDER = 3
"""Words of the longest n-grams that the search reads; `asr-train` counts longer ones too."""

_TYPES = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "float32"}
_READ_BYTES = 1 << 20


def read_language_model(path: Path) -> LanguageModel:
    """Open a language model that ``asr-train language-model`` wrote.

    The file stays mapped while the model is in use. To exchange it, put the new file in its place
    under its name (as ``mv`` does); one that is shortened in place ends every process that uses it.

    Args:
        path: The file.

    Returns:
        The model.

    Raises:
        LanguageModelError: The file is none, is damaged or cut off, or of a newer format. Its path
            is the error's subject.
    """
    content, digest = _mapped(path)
    with _damage_named(path):
        header, arrays = _parse(content, digest)
        model: LanguageModel
        if header["format_version"] == 1:
            check_expanded(arrays, header["order"])
            model = ExpandedModel(header, arrays)
        else:
            check_packed(arrays, header["order"])
            model = PackedModel(header, arrays)
        if hasattr(content, "madvise"):
            # Of all that was read to check it, the search will need a little here and there.
            content.madvise(mmap.MADV_DONTNEED)
        return model


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read the header and the arrays of a language model file, for other tools than the search.

    Args:
        path: The file.

    Returns:
        The header, and the arrays by name, each [values].

    Raises:
        LanguageModelError: As in `read_language_model`.
    """
    content, digest = _mapped(path)
    with _damage_named(path):
        return _parse(content, digest)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Raise whatever goes wrong with a file's content as a LanguageModelError that names it."""
    try:
        yield
    except LanguageModelError as error:
        error.subject = str(path)
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
        raise LanguageModelError("is a damaged language model; copy it again", str(path)) from None


def _mapped(path: Path) -> tuple[mmap.mmap, str]:
    """Return a file's content and the SHA-256 of its arrays."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), _digest(file)
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


def _digest(file: BinaryIO) -> str:
    """Return the SHA-256 of the arrays, read in parts: what is mapped counts as memory in use."""
    begin = len(MAGIC) + 4
    begin += int.from_bytes(file.read(begin)[len(MAGIC) :], "little")
    file.seek(begin)
    digest = hashlib.sha256()
    while piece := file.read(_READ_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _parse(content: mmap.mmap, digest: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    first = len(MAGIC) + 4
    if content[: len(MAGIC)] != MAGIC:
        raise LanguageModelError(
            "is not a language model; give a file that asr-train language-model wrote"
        )
    begin = first + int.from_bytes(content[len(MAGIC) : first], "little")
    if begin > len(content):
        raise ValueError("the header reaches past the end")
    header = parse_object(content[first:begin].decode("utf-8"))
    if not isinstance(header["order"], int) or not isinstance(header["format_version"], int):
        raise ValueError("the order or the version is no integer")
    if header["format_version"] > FORMAT_VERSION or not 2 <= header["order"] <= MAX_READABLE_ORDER:
        raise LanguageModelError(
            f"has language model format {header['format_version']}, order {header['order']}, which "
            "this version does not read; upgrade with: pip install --upgrade asr-runtime"
        )
    if len(content) != begin + header["bytes"]:
        raise LanguageModelError(
            f"is cut off or damaged ({len(content)} bytes and not {begin + header['bytes']}); "
            "copy it again"
        )
    if digest != header["sha256"]:
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
