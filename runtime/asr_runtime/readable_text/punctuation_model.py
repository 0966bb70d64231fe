"""A punctuation model in ONNX Runtime: words in, the sign after each and the case of each out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.errors import ModelFileError
from asr_runtime.inference import device as devices
from asr_runtime.model_file.model_bytes import read_model_bytes
from asr_runtime.readable_text.annotation import Case, Sign
from asr_runtime.readable_text.punctuation_card import (
    CASES,
    METADATA_KEY,
    SIGNS,
    WORDS,
    PunctuationCard,
)
from asr_runtime.readable_text.word_table import WordTable

DEFAULT_PUNCTUATION_MODEL = Path(__file__).parents[1] / "models" / "punctuation.onnx"

_RUN_WORDS = 512
"""Words of a run, so that memory does not grow with the text."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a model says about words.

    Attributes:
        signs: Log-probability of each `Sign` after each word, less the penalty of none [words, 4].
        cases: Log-probability of each `Case` of each word, less the penalty of lower case
            [words, 3].
    """

    signs: npt.NDArray[np.float32]
    cases: npt.NDArray[np.float32]


class PunctuationModel:
    """A loaded punctuation model; threads may share one.

    Args:
        session: ONNX Runtime's session.
        path: Where the file is, for messages.

    Raises:
        ModelFileError: It is another kind of model.
    """

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self.path = path
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        names = {tensor.name for tensor in (*session.get_inputs(), *session.get_outputs())}
        if text is None or names != {WORDS, SIGNS, CASES}:
            raise ModelFileError(
                "is no punctuation model; give a punctuation.onnx that asr-train punctuation wrote",
                str(path),
            )
        try:
            self.card = PunctuationCard.from_json(text)
        except ModelFileError as error:
            error.subject = str(path)
            raise
        self.table = WordTable(self.card.words, self.card.names, self.card.rare)

    def annotate(self, words: Sequence[str]) -> Annotations:
        """Say what stands after each word, and how each is written.

        Args:
            words: In lower case, as the recogniser writes them. Speech begins before the first
                and ends after the last.

        Returns:
            Log-probabilities; the same however long the text around the words that count is.

        Raises:
            ModelFileError: The model fails.
        """
        rows = np.array([self.table.row(word) for word in words], np.int64)
        signs = np.empty((len(rows), len(Sign)), np.float32)
        cases = np.empty((len(rows), len(Case)), np.float32)
        behind, ahead = self.card.words_behind, self.card.words_ahead
        for start in range(0, len(rows), _RUN_WORDS):
            end = min(start + _RUN_WORDS, len(rows))
            first = max(0, start - behind)
            some = self._run(rows[first : end + ahead])
            signs[start:end] = some.signs[start - first : end - first]
            cases[start:end] = some.cases[start - first : end - first]
        signs[:, Sign.NONE] -= self.card.none_penalty
        cases[:, Case.LOWER] -= self.card.lower_penalty
        return Annotations(signs, cases)

    def _run(self, rows: npt.NDArray[np.int64]) -> Annotations:
        try:
            signs, cases = self._session.run([SIGNS, CASES], {WORDS: rows[np.newaxis]})
        except Exception as error:
            if not devices.is_onnxruntime_error(error):
                raise
            raise self._broken(f"failed to run ({devices.clean_message(error)})") from error
        if signs.shape != (1, len(rows), len(Sign)) or cases.shape != (1, len(rows), len(Case)):
            raise self._broken("returned results of another shape")
        if np.isnan(signs).any() or np.isnan(cases).any():
            raise self._broken("returned NaN")
        return Annotations(signs[0], cases[0])

    def _broken(self, problem: str) -> ModelFileError:
        return ModelFileError(f"{problem}; train or copy the model again", str(self.path))


def load_punctuation_model(path: Path | None = None) -> PunctuationModel:
    """Load a punctuation model onto the CPU, where its fraction of a millisecond a word is spent.

    Args:
        path: A file that ``asr-train punctuation`` wrote, or None for the one in this package.

    Returns:
        The model.

    Raises:
        ModelFileError: The file is missing or is no such model.
        DeviceError: ONNX Runtime is not installed.
    """
    if path is None:
        path = DEFAULT_PUNCTUATION_MODEL
        if not path.exists():
            raise ModelFileError(
                "this installation has no punctuation model; name a file, or install asr-runtime "
                "from a release",
                str(path),
            )
    onnxruntime = devices.load_onnxruntime()
    content = read_model_bytes(path)
    # One thread: a second one would cost more to wake than it saves.
    options = devices.quiet_options(onnxruntime, 1)
    # To optimise this graph takes longer than it saves in an hour of speech.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=[devices.CPU_PROVIDER], enable_fallback=0
        )
    except Exception as error:
        if not devices.is_onnxruntime_error(error):
            raise
        raise ModelFileError(
            f"cannot be loaded ({devices.clean_message(error)}); give a punctuation.onnx that "
            "asr-train punctuation wrote",
            str(path),
        ) from None
    session._model_bytes = None  # a second copy of the file, kept for a fallback that is off
    return PunctuationModel(session, path)
