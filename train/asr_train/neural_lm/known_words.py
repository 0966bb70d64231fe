"""Which words a network knows: the most probable ones of the language model that it is added to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr_runtime import LanguageModelError
from asr_runtime.language.language_model import FIRST_WORD, UNKNOWN, LanguageModel
from asr_runtime.language.language_model_file import read_arrays, read_language_model
from asr_runtime.language.packed_model import RARE_ARRAY
from asr_train.errors import DataError
from asr_train.neural_lm.network import FIRST_ROW


@dataclass(frozen=True)
class KnownWords:
    """Words in the order of their rows; the first one has FIRST_ROW.

    Attributes:
        words: The words, ASCII.
    """

    words: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return the number of rows, those before the first word included."""
        return len(self.words) + FIRST_ROW

    def ids(self, model: LanguageModel, path: Path) -> npt.NDArray[np.int32]:
        """Return each word's id in a language model.

        Args:
            model: The model.
            path: Its file, for the message.

        Returns:
            int32 [words].

        Raises:
            DataError: The model does not know some of the words.
        """
        found = {word: number for number, word in enumerate(model.words, FIRST_WORD)}
        ids = np.array([found.get(word, UNKNOWN) for word in self.words], np.int32)
        missing = np.flatnonzero(ids == UNKNOWN)
        if len(missing):
            raise DataError(
                f"{path} does not know {len(missing):,} of the network's {len(ids):,} words, such "
                f"as '{self.words[missing[0]]}'; give the model that it was trained with"
            )
        return ids


def open_base(path: Path) -> LanguageModel:
    """Open the n-gram model that a network is added to.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        return read_language_model(path)
    except LanguageModelError as error:
        raise DataError(str(error)) from None


def most_probable_words(path: Path, number: int) -> KnownWords:
    """Choose the words that a network should know.

    Args:
        path: A language model's file.
        number: How many words at most. Rare words, which n-grams do not know, are left out: they
            share the unknown word's row as they share its n-grams.

    Returns:
        The words of the highest unigram probability, the most probable first; of equal ones,
        those first that come first in the alphabet.

    Raises:
        DataError: The file cannot be read.
    """
    model = open_base(path)
    probabilities = model.unigrams[FIRST_WORD:]
    order = np.argsort(-probabilities, kind="stable")
    _, arrays = read_arrays(path)
    if RARE_ARRAY in arrays:
        rare = np.unpackbits(arrays[RARE_ARRAY], count=len(order), bitorder="little")
        order = order[rare[order] == 0]
    words = list(model.words)
    return KnownWords(tuple(words[index] for index in order[:number].tolist()))
