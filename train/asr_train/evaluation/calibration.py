"""Fitting what corrects an exported model's word times and confidences.

A word's confidence becomes the probability that the word is right, by logistic regression on
recordings with known text (Platt 1999, "Probabilistic outputs for support vector machines"). After
a search with a language model, what that says of the word, and the word's length, are further
inputs (Jiang 2005, "Confidence measures for speech recognition: A survey"). Its times are moved by
the median of their errors, where another aligner's times are known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from asr_runtime import AsrRuntimeError, Recognizer, Word
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.model_file.word_calibration import WordCalibration
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError
from asr_train.evaluation.metrics import matching_words

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
WordTimes = Mapping[str, Sequence[tuple[str, float, float]]]

_RIDGE = 1e-3
_BINS = 10


@dataclass(frozen=True)
class WordOutcome:
    """A recognised word and what is known of it.

    Attributes:
        utterance: Index of its recording.
        confidence: Uncalibrated, 0 to 1.
        right: Whether it stands in the true text at this place.
        late: Seconds by which its start and its end come after the true ones; None if unknown.
        log_prob: The word's log-probability by the language model, in nats; 0 without one.
        next_log_prob: That of the next word, 0 after the last.
        letters: How many letters it has; 0 without a language model.
    """

    utterance: int
    confidence: float
    right: bool
    late: tuple[float, float] | None = None
    log_prob: float = 0.0
    next_log_prob: float = 0.0
    letters: int = 0


@dataclass(frozen=True)
class CalibrationReport:
    """How good a calibration is.

    Attributes:
        calibration: Fitted on all words.
        words: How many words there were.
        error_before: Expected calibration error of the uncalibrated confidences, 0 to 1.
        error_after: The same on half of the recordings, calibrated on the other half, both ways.
        brier_before: Mean squared distance of the uncalibrated confidences from 1 of right words
            and 0 of wrong ones (Brier 1950).
        brier_after: The same on half of the recordings, as for ``error_after``.
        start_error: Median and 95th percentile of the starts' absolute errors after the correction,
            seconds, likewise on the other half; None without true times.
        bins: For each tenth of the calibrated confidence its mean, the share of right words, and
            the number of words.
    """

    calibration: WordCalibration
    words: int
    error_before: float
    error_after: float
    brier_before: float
    brier_after: float
    start_error: tuple[float, float] | None
    bins: list[tuple[float, float, int]]


def read_word_times(path: Path) -> WordTimes:
    """Read word times by another aligner: JSON lines with ``audio_filepath`` and ``words``.

    Args:
        path: The file; each of its ``words`` is a list of the word, its start and end in seconds.

    Returns:
        The words by the name of the audio file.

    Raises:
        DataError: The file cannot be read, or holds something else.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        return {
            Path(row["audio_filepath"]).name: [
                (str(word), float(start), float(end)) for word, start, end in row["words"]
            ]
            for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: no word times can be read from it: {error}") from None


def word_outcomes(
    rows: Sequence[Utterance],
    recognizer: Recognizer,
    times: WordTimes | None = None,
) -> list[WordOutcome]:
    """Transcribe recordings and compare the words with the true ones.

    Args:
        rows: Recordings with their texts.
        recognizer: Transcribes; not calibrated, so that confidences are the decoder's own.
        times: True times by the name of the audio file.

    Returns:
        All recognised words in order.

    Raises:
        DataError: A recording cannot be used.
    """
    outcomes: list[WordOutcome] = []
    for index, row in enumerate(tqdm(rows, unit="clip", disable=None)):
        try:
            words = recognizer.transcribe(row.audio).words
        except AsrRuntimeError as error:
            raise DataError(str(error)) from None
        found = _compared(index, words, row.text.split(), (times or {}).get(row.audio.name))
        if recognizer.language_model is not None:
            found = _expected(found, words, recognizer.language_model)
        outcomes += found
    return outcomes


def _expected(
    outcomes: Sequence[WordOutcome], words: Sequence[Word], model: LanguageModel
) -> list[WordOutcome]:
    """Add what a language model says of the words of a recording."""
    log_probs = [*model.log_probs([word.text for word in words]).tolist(), 0.0]
    return [
        replace(one, log_prob=own, next_log_prob=following, letters=len(word.text))
        for one, word, (own, following) in zip(outcomes, words, pairwise(log_probs), strict=True)
    ]


def _compared(
    index: int,
    words: Sequence[Word],
    said: Sequence[str],
    times: Sequence[tuple[str, float, float]] | None,
) -> list[WordOutcome]:
    heard = [word.text for word in words]
    right = dict(matching_words(heard, said))
    timed = dict(matching_words(heard, [word for word, *_ in times or ()]))
    outcomes = []
    for place, word in enumerate(words):
        late = None
        if times is not None and place in timed:
            _, start, end = times[timed[place]]
            late = (word.start - start, word.end - end)
        outcomes.append(WordOutcome(index, word.confidence, place in right, late))
    return outcomes


def fit_calibration(outcomes: Sequence[WordOutcome]) -> CalibrationReport:
    """Fit a calibration, and judge it on recordings that it was not fitted on.

    Raises:
        DataError: The words are too few, or all right, or all wrong.
    """
    confidence = np.array([one.confidence for one in outcomes])
    inputs = _inputs(outcomes)
    right = np.array([one.right for one in outcomes], np.bool_)
    halves = np.array([one.utterance % 2 for one in outcomes]) == 1
    for part in (halves, ~halves):
        if part.sum() < 50 or right[part].all() or not right[part].any():
            raise DataError("too few words, or too few wrong ones, to calibrate on; give more")
    after = np.empty(len(outcomes))
    for part in (halves, ~halves):
        fitted = WordCalibration(0.0, 0.0, *_fit_confidence(inputs[~part], right[~part]).tolist())
        after[part] = [
            fitted.probability(one.confidence, one.log_prob, one.next_log_prob, one.letters)
            for one, is_in in zip(outcomes, part.tolist(), strict=True)
            if is_in
        ]
    late = np.array([one.late or (np.nan, np.nan) for one in outcomes])
    timed = ~np.isnan(late[:, 0])
    start_error = None
    shifts = (0.0, 0.0)
    if timed.sum() >= 50:
        shifts = tuple((-np.median(late[timed], axis=0)).round(3).tolist())
        errors = np.concatenate(
            [
                np.abs(late[part & timed, 0] - np.median(late[~part & timed, 0]))
                for part in (halves, ~halves)
            ]
        )
        start_error = (float(np.median(errors)), float(np.quantile(errors, 0.95)))
    weights = _fit_confidence(inputs, right).round(4).tolist()
    calibration = WordCalibration(*shifts, *weights)
    return CalibrationReport(
        calibration,
        len(outcomes),
        expected_calibration_error(confidence, right),
        expected_calibration_error(after, right),
        float(np.mean((confidence - right) ** 2)),
        float(np.mean((after - right) ** 2)),
        start_error,
        _bins(after, right),
    )


def expected_calibration_error(confidence: Floats, right: Booleans) -> float:
    """Mean distance of confidence and truth over ten bins (Guo et al. 2017, arXiv:1706.04599).

    Args:
        confidence: 0 to 1, float64 [words].
        right: Whether each word is right, bool [words].
    """
    total = sum(abs(mean - share) * count for mean, share, count in _bins(confidence, right))
    return float(total / len(confidence))


def _bins(confidence: Floats, right: Booleans) -> list[tuple[float, float, int]]:
    index = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        (float(confidence[index == one].mean()), float(right[index == one].mean()), int(count))
        for one, count in enumerate(np.bincount(index, minlength=_BINS))
        if count
    ]


def _inputs(outcomes: Sequence[WordOutcome]) -> Floats:
    """Return the inputs of the regression in the order of `WordCalibration`, float64 [words, 5]."""
    confidence = np.clip([one.confidence for one in outcomes], 1e-6, 1 - 1e-6)
    others = [(one.log_prob, one.next_log_prob, one.letters) for one in outcomes]
    odds = np.log(confidence / (1 - confidence))
    return np.column_stack((np.ones(len(outcomes)), odds, np.array(others, np.float64)))


def _fit_confidence(inputs: Floats, right: Booleans) -> Floats:
    """Logistic regression of being right, by Newton's method; 0 for inputs that are all 0.

    Args:
        inputs: float64 [words, inputs].
        right: Whether each word is right, bool [words].

    Returns:
        Weights, float64 [inputs].
    """
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        predicted = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (predicted - right) + _RIDGE * weights
        curvature = (inputs * (predicted * (1 - predicted))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + _RIDGE * np.eye(len(weights)), gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights
