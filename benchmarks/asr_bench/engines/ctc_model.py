"""A CTC network of this project as a loaded model, with the greedy decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_bench.engines.engine import LoadedModel
from asr_runtime.decoding.greedy import greedy_text
from asr_runtime.model_file.contract import INPUT_LENGTHS, INPUT_VALUES
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY

Floats = npt.NDArray[np.float32]


def feeds(samples: Floats) -> dict[str, npt.NDArray[Any]]:
    """Return the inputs of an ONNX file by name for one utterance, float32 [samples]."""
    return {INPUT_VALUES: samples[None, :], INPUT_LENGTHS: np.array([samples.size], np.int64)}


def ctc_model(run: Callable[[Floats], Any]) -> LoadedModel:
    """Wrap a network.

    Args:
        run: Takes float32 [samples] and gives log-probabilities [1, frames, labels] and the number
            of frames [1], as arrays or tensors.
    """

    def log_probs(samples: Floats) -> Floats:
        values, frames = run(samples)[:2]
        return np.asarray(values)[0, : int(frames[0])]

    return LoadedModel(
        transcribe=lambda samples: decode(log_probs(samples)),
        log_probs=log_probs,
    )


def decode(log_probs: Floats) -> str:
    """Decode log-probabilities [frames, labels] greedily."""
    return greedy_text(log_probs, VOCABULARY, BLANK_ID)
