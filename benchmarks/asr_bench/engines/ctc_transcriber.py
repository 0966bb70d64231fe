"""Text from the log-probabilities of one of this project's models, by the greedy decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.greedy import greedy_text
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

Floats = npt.NDArray[np.float32]


class CtcTranscriber:
    """``run`` takes a waveform [samples] and gives what the model does, for a batch of one."""

    def __init__(self, run: Callable[[Floats], Any]) -> None:
        self._run = run

    def transcribe(self, samples: Floats) -> str:
        """See ``Transcriber``."""
        log_probs, frames = self._run(samples)
        return greedy_text(np.asarray(log_probs)[0, : int(frames[0])], VOCABULARY, BLANK_ID)
