"""How often letters occur in text, and phonemes in words, apart from what was heard.

A CTC model gives the probability of letters after hearing speech, and so part of what a language
model knows already. Dividing by a power of the letters' own frequencies before the two are combined
leaves more of the sound, as hybrid systems do with their states (H. Bourlard, N. Morgan,
"Connectionist speech recognition", 1994), and rare letters are found more often. Which phonemes
follow each other is all that is known of the sounds of an unknown word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import FIRST_WORD
from asr_runtime.language.phonemes import BLANK, PHONEMES
from asr_runtime.language.pronunciations import Pronunciations

_RAREST = 1e-3
_PART = 1 << 16  # phonemes


def label_priors(
    words: Sequence[str],
    unigrams: npt.NDArray[np.float32],
    vocabulary: Sequence[str],
    boundary: str,
) -> npt.NDArray[np.float64]:
    """Return how often each class occurs in text, less the average letter.

    The text is that of a language model, each word followed by a boundary. A class that does not
    occur in it counts as average. All rare letters count the same, because nothing is to be gained
    from hearing them everywhere.

    Args:
        words: The language model's words, sorted.
        unigrams: `LanguageModel.unigrams`, float32 [word ids].
        vocabulary: Text of each class.
        boundary: Text of the class between words.

    Returns:
        Natural-log frequencies, float64 [classes].
    """
    text = np.array(["\n".join(words)]).view(np.uint32)
    word = np.cumsum(text == ord("\n"))
    weights = np.exp(unigrams[FIRST_WORD:].astype(np.float64))
    counts = np.bincount(text, weights[word])
    counts[: ord("\n") + 1] = 0.0
    letters = {chr(code): counts[code] for code in np.flatnonzero(counts)}
    letters[boundary] = weights.sum()
    total = sum(letters.values())
    logs = {letter: np.log(max(count / total, _RAREST)) for letter, count in letters.items()}
    average = sum(letters[letter] / total * log for letter, log in logs.items())
    return np.array([logs.get(symbol, average) - average for symbol in vocabulary])


def phonotactics(pronunciations: Pronunciations) -> npt.NDArray[np.float64]:
    """Return how probable each phoneme is after each, and at a word's beginning and end.

    Each word of the vocabulary counts the same, because unknown words are rare ones. Each
    transition is taken as seen once more than it was.

    Args:
        pronunciations: How the words of a vocabulary are spoken.

    Returns:
        Natural-log probabilities, float64 [phonemes + 1, phonemes + 1]: by the phoneme before, or
        BLANK at the beginning, and the next one, or BLANK at the end.
    """
    size = len(PHONEMES) + 1
    offsets, labels = pronunciations.offsets, pronunciations.phonemes
    before = np.empty(len(labels), np.uint16)
    before[1:] = labels[:-1]
    before[offsets[:-1]] = BLANK
    pairs = before * np.uint16(size) + labels
    seen = np.ones(size * size)
    # In parts, because to be counted they take four times their memory.
    for begin in range(0, len(pairs), _PART):
        seen += np.bincount(pairs[begin : begin + _PART], minlength=size * size)
    seen[BLANK::size] += np.bincount(labels[offsets[1:] - 1], minlength=size)
    counts = seen.reshape(size, size)
    counts[BLANK, BLANK] = 1e-9  # no word is empty
    logs: npt.NDArray[np.float64] = np.log(counts / counts.sum(axis=1, keepdims=True))
    return logs
