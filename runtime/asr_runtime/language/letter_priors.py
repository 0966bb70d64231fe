"""How often each letter occurs in text, which an acoustic model learns along with the sounds.

A CTC model gives the probability of letters after hearing speech, and so part of what a language
model knows already. Dividing by a power of the letters' own frequencies before the two are combined
leaves more of the sound, as hybrid systems do with their states (H. Bourlard, N. Morgan,
"Connectionist speech recognition", 1994), and rare letters are found more often.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asr_runtime.language.language_model import FIRST_WORD

_RAREST = 1e-3


def letter_priors(
    words: Sequence[str],
    unigrams: npt.NDArray[np.float32],
    vocabulary: Sequence[str],
    boundary: str,
) -> npt.NDArray[np.float64]:
    """Natural-log frequency of each class in text, less that of the average letter [classes].

    The text is that of a language model of such words and `LanguageModel.unigrams`, each word
    followed by a boundary. A class that does not
    occur in it counts as average. All rare letters have the same, for nothing is to be gained from
    hearing them everywhere.
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
