"""Which phonemes follow each other in words: what is known of the sounds of an unknown word."""

import numpy as np
import numpy.typing as npt

from asr_runtime.language.phonemes import BLANK, PHONEMES
from asr_runtime.language.pronunciations import Pronunciations


def phonotactics(pronunciations: Pronunciations) -> npt.NDArray[np.float64]:
    """Natural-log probability of each phoneme after each, and of a word's beginning and end.

    It is that of the words of a vocabulary, each of which counts the same: unknown words are rare
    ones. Each transition is taken as seen once more than it was.

    Returns [phonemes + 1, phonemes + 1]: the phoneme before, or BLANK at the beginning, and the
    next one, or BLANK at the end.
    """
    size = len(PHONEMES) + 1
    labels = pronunciations.phonemes.astype(np.int64)
    begins, ends = pronunciations.offsets[:-1], pronunciations.offsets[1:]
    before = np.empty_like(labels)
    before[1:] = labels[:-1]
    before[begins] = BLANK
    pairs = np.concatenate((before * size + labels, labels[ends - 1] * size + BLANK))
    counts = np.bincount(pairs, minlength=size * size).reshape(size, size) + 1.0
    counts[BLANK, BLANK] = 1e-9  # no word is empty
    logs: npt.NDArray[np.float64] = np.log(counts / counts.sum(axis=1, keepdims=True))
    return logs
