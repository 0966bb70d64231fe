"""What the pause after a word says about the sign there.

The model knows words alone. People who read aloud pause at signs, so the time to the next word is
counted in as a second, independent witness. It weighs half, because people who speak freely also
pause to think.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asr_runtime.readable_text.annotation import Sign

_BOUNDS = (0.1, 0.2, 0.5)
"""Seconds between the classes of pauses."""

_LIKELIHOODS = np.array(
    [
        # none, comma, full stop, question mark
        [0.848, 0.093, 0.05, 0.05],
        [0.101, 0.178, 0.025, 0.025],
        [0.047, 0.542, 0.025, 0.025],
        [0.004, 0.187, 0.9, 0.9],
    ]
)
"""Part of the pauses before each class of length, by sign: 1,855 words of LibriSpeech dev-clean."""

_WEIGHT = 0.5

_LOG_RATIOS = _WEIGHT * (np.log(_LIKELIHOODS) - np.log(_LIKELIHOODS[:, [Sign.NONE]])).astype(
    np.float32
)


def pause_log_ratios(pauses: Sequence[float | None]) -> npt.NDArray[np.float32]:
    """Say how much more probable the pause after each word is with each sign than with none.

    Args:
        pauses: Seconds to the next word; None where they are not known.

    Returns:
        Log-likelihood ratios [words, 4], 0 for no sign.
    """
    ratios = np.zeros((len(pauses), len(Sign)), np.float32)
    for row, pause in zip(ratios, pauses, strict=True):
        if pause is not None:
            row[:] = _LOG_RATIOS[np.searchsorted(_BOUNDS, pause, side="right")]
    return ratios
