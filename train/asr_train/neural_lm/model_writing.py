"""A trained network inside of the n-gram language model's file that it was trained beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime import LanguageModelError
from asr_runtime.language.language_model_file import read_arrays
from asr_train.errors import DataError
from asr_train.neural_lm.int8_rows import int8_rows, named_matrices, named_vectors
from asr_train.neural_lm.known_words import KnownWords, open_base
from asr_train.neural_lm.network import WordNetwork
from asr_train.ngram.writing import content_of
from asr_train.output import replacing

NETWORK_KEY = "network"
"""Of the file's header."""
PREFIX = "network_"
"""Of the names of the network's arrays."""

_VERSION = 1


def add_network(
    network: WordNetwork, known: KnownWords, base: Path, out: Path, source: str = ""
) -> int:
    """Write a language model's file with a network in it, in place of one that it has.

    Every matrix, such as ``input``, is two arrays: ``network_input`` int8 [rows * columns], row by
    row, and ``network_input_scale`` float32 [rows]. ``network_words`` int32 [words] has the word
    ids of the network's rows from FIRST_ROW on.

    Args:
        network: The network.
        known: The words of its rows.
        base: The language model's file.
        out: File to write; may be `base`.
        source: Sentence on the texts that the network learned from.

    Returns:
        The file's size in bytes.

    Raises:
        DataError: `base` cannot be read, or does not know the words.
        OutputError: The file cannot be written.
    """
    words = known.ids(open_base(base), base)
    try:
        header, arrays = read_arrays(base)
    except LanguageModelError as error:
        raise DataError(str(error)) from None
    kept = {name: array for name, array in arrays.items() if not name.startswith(PREFIX)}
    config = network.config
    description = {
        "version": _VERSION,
        "hidden": config.hidden,
        "edges": list(config.edges),
        "dims": list(config.dims),
        "source": source,
    }
    content = content_of(header | {NETWORK_KEY: description}, kept | _arrays(network, words))
    with replacing(out) as partial:
        partial.write_bytes(content)
    return len(content)


def _arrays(
    network: WordNetwork, words: npt.NDArray[np.int32]
) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of the file, each [numbers], with the ids of the network's words."""
    arrays: dict[str, npt.NDArray[Any]] = {f"{PREFIX}words": words}
    for name, matrix in named_matrices(network):
        numbers, scale = int8_rows(matrix.detach().numpy())
        arrays[f"{PREFIX}{name}"] = numbers.reshape(-1)
        arrays[f"{PREFIX}{name}_scale"] = scale
    for name, vector in named_vectors(network):
        arrays[f"{PREFIX}{name}"] = vector.detach().numpy().astype(np.float32)
    return arrays
