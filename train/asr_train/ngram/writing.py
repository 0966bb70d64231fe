"""Writing a model as the one file that asr_runtime maps into memory.

The layout is described in `asr_runtime.language.language_model_file`, which reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import STATE_BITS
from asr_runtime.language.language_model_file import FORMAT_VERSION, MAGIC
from asr_runtime.language.packed_model import RARE_ARRAY
from asr_train.ngram.kneser_ney import NgramModel
from asr_train.ngram.packing import Arrays, pack
from asr_train.ngram.pruning import Pruner
from asr_train.ngram.vocabulary import Vocabulary

_ALIGNMENT = 64
_WITHOUT_RARE_WORDS = 2
"""Version of a file that has none, so that older readers read it."""
_MOST_STATES = 1 << STATE_BITS
"""Words and bigrams that a reader can tell apart."""
_TRIES = 12
_CLOSE_ENOUGH = 0.99


def write_language_model(
    path: Path,
    model: NgramModel,
    vocabulary: Vocabulary,
    description: Mapping[str, Any],
) -> None:
    """Write a model, with its log-probabilities and back-off weights as codes of a few bits.

    Args:
        path: file to write.
        model: the last two words of its longer n-grams are bigrams of it.
        vocabulary: words of the model's ids.
        description: JSON values for readers of the file: source, licence, perplexity.
    """
    arrays = pack(model, vocabulary)
    path.write_bytes(file_content(arrays, model, description))


def file_content(arrays: Arrays, model: NgramModel, description: Mapping[str, Any]) -> bytes:
    """A file with some arrays, each [values]."""
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION if RARE_ARRAY in arrays else _WITHOUT_RARE_WORDS,
        "order": model.order,
        "ngrams": {str(n): len(level.keys) for n, level in enumerate(model.orders, start=1)},
        **description,
    }
    return content_of(header, arrays)


def content_of(header: Mapping[str, Any], arrays: Arrays) -> bytes:
    """A file with a header and some arrays.

    Args:
        header: all that it says but about the arrays; what it says about them is left out.
        arrays: by name, each [values], in the order in which they lie in the file.
    """
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
    about_arrays = {
        "arrays": places,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    rest = {key: value for key, value in header.items() if key not in about_arrays}
    text = json.dumps(rest | about_arrays).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text)) % _ALIGNMENT)
    return MAGIC + len(text).to_bytes(4, "little") + text + bytes(data)


def largest_that_fits(
    pruner: Pruner,
    vocabulary: Vocabulary,
    max_bytes: int,
    describe: Callable[[NgramModel], Mapping[str, Any]],
    smooth: Callable[[NgramModel], NgramModel] = lambda model: model,
    extra: Mapping[str, npt.NDArray[Any]] | None = None,
) -> tuple[NgramModel, bytes]:
    """The largest model whose file has at most so many bytes, and the file's content.

    It has no more bigrams than a reader can tell apart, however many bytes are left.

    Args:
        pruner: holds the model.
        vocabulary: words of the model's ids.
        max_bytes: size of the file at most.
        describe: gives the description of a model, as ``write_language_model`` takes it.
        smooth: gives better probabilities for a pruned model, of the same n-grams.
        extra: further arrays of the file, each [any], which count among its bytes; the search
            ignores them.

    Raises:
        ValueError: not even the single words fit.
    """
    found: tuple[NgramModel, bytes] | None = None
    # What an n-gram takes in the file shows only when it is written.
    allowed, low, high = float(max_bytes), 0.0, 2.0 * max_bytes
    for _ in range(_TRIES):
        used, crowded = 0.0, False

        def fits(numbers: list[int], heads: list[int], limit: float = allowed) -> bool:
            nonlocal used, crowded
            about = _about(numbers, heads)
            if about > limit:
                return False
            if sum(numbers[:2]) > _MOST_STATES:
                crowded = True
                return False
            used = max(used, about)
            return True

        model = pruner.largest(fits)
        whole = pruner.is_whole(model)
        model = smooth(model)
        arrays = pack(model, vocabulary) | dict(extra or {})
        content = file_content(arrays, model, describe(model))
        if len(content) <= max_bytes:
            low = allowed
            if found is None or len(content) > len(found[1]):
                found = model, content
            if len(content) >= _CLOSE_ENOUGH * max_bytes or whole or crowded:
                break
        else:
            high = min(allowed, used)
        guess = used + 0.996 * max_bytes - len(content)
        allowed = guess if low < guess < high else (low + high) / 2
    if found is None:
        raise ValueError("not even the single words fit")
    return found


def _about(numbers: list[int], heads: list[int]) -> float:
    """Bytes of the longer n-grams in a file, about."""
    size = 0.0
    for number, contexts in zip(numbers[1:], [*heads[1:], 0], strict=False):
        size += number * _NGRAM_BITS / 8 + contexts
    return size


_NGRAM_BITS = 16.2
"""Of an n-gram, with what its block takes."""
