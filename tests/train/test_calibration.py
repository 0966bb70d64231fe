"""Fitting a calibration to words of which it is known whether they are right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr_runtime import Recognizer
from asr_train.command.calibrate import draw_reliability
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError
from asr_train.evaluation.calibration import (
    WordOutcome,
    expected_calibration_error,
    fit_calibration,
    read_word_times,
    word_outcomes,
)
from asr_train.evaluation.metrics import matching_words

CLIP = Path(__file__).parents[2] / "runtime" / "demo" / "demo.flac"


def outcomes(count: int, seed: int = 0) -> list[WordOutcome]:
    """Words that are right more often than their confidences say, and late."""
    rng = np.random.default_rng(seed)
    confidences = rng.uniform(0.02, 0.98, count)
    odds = 1.2 + 0.5 * np.log(confidences / (1 - confidences))
    right = rng.random(count) < 1 / (1 + np.exp(-odds))
    late = rng.normal((0.08, 0.02), 0.01, (count, 2))
    return [
        WordOutcome(index // 10, float(confidence), bool(is_right), (float(start), float(end)))
        for index, (confidence, is_right, (start, end)) in enumerate(
            zip(confidences, right, late, strict=True)
        )
    ]


def test_the_fit_finds_what_the_words_were_made_with() -> None:
    report = fit_calibration(outcomes(8000))
    found = report.calibration
    assert found.confidence_intercept == pytest.approx(1.2, abs=0.1)
    assert found.confidence_slope == pytest.approx(0.5, abs=0.05)
    assert (found.start_shift, found.end_shift) == pytest.approx((-0.08, -0.02), abs=0.002)
    assert report.error_after < 0.03 < report.error_before
    assert report.start_error is not None
    assert report.start_error[0] < 0.01
    assert sum(count for *_, count in report.bins) == report.words == 8000


def test_the_fit_finds_what_the_language_model_and_the_length_say() -> None:
    rng = np.random.default_rng(2)
    plain = []
    for one in outcomes(12000, seed=3):
        log_prob, following = (-rng.gamma(2.0, 2.0, 2)).tolist()
        letters = int(rng.integers(1, 12))
        odds = 1.0 + 0.5 * np.log(one.confidence / (1 - one.confidence))
        odds += 0.3 * log_prob + 0.1 * following + 0.3 * letters
        right = bool(rng.random() < 1 / (1 + np.exp(-odds)))
        plain.append(WordOutcome(one.utterance, one.confidence, right))
        plain[-1] = replace(plain[-1], log_prob=log_prob, next_log_prob=following, letters=letters)
    report = fit_calibration(plain)
    found = report.calibration
    assert found.language_slope == pytest.approx(0.3, abs=0.05)
    assert found.next_slope == pytest.approx(0.1, abs=0.05)
    assert found.letters_slope == pytest.approx(0.3, abs=0.05)
    assert report.error_after < 0.03
    alone = fit_calibration([WordOutcome(o.utterance, o.confidence, o.right) for o in plain])
    assert (alone.calibration.language_slope, alone.calibration.letters_slope) == (0.0, 0.0)
    assert report.brier_after < alone.brier_after - 0.02 < alone.brier_before


def test_words_are_matched_as_the_word_error_rate_aligns_them() -> None:
    heard, said = ["a", "cat", "sat", "on", "on", "mat"], ["the", "cat", "sat", "on", "the", "mat"]
    assert matching_words(heard, said) == [(1, 1), (2, 2), (3, 3), (5, 5)]
    assert matching_words(["b"], ["a", "b", "c"]) == [(0, 1)]
    assert matching_words([], said) == matching_words(heard, []) == []


def test_without_true_times_the_times_stay() -> None:
    untimed = [WordOutcome(o.utterance, o.confidence, o.right) for o in outcomes(500)]
    report = fit_calibration(untimed)
    assert (report.calibration.start_shift, report.start_error) == (0.0, None)


def test_too_few_words_are_refused() -> None:
    with pytest.raises(DataError, match="give more"):
        fit_calibration(outcomes(60))
    with pytest.raises(DataError, match="give more"):
        fit_calibration([WordOutcome(index, 0.5, True) for index in range(500)])


def test_expected_calibration_error() -> None:
    confidence = np.array([0.95] * 10 + [0.15] * 10)
    right = np.array([True] * 5 + [False] * 15)
    assert expected_calibration_error(confidence, right) == pytest.approx((0.45 + 0.15) / 2)


def test_word_times(tmp_path: Path) -> None:
    path = tmp_path / "times.jsonl"
    row = {"audio_filepath": "folder/a.wav", "words": [["one", 0.5, 0.75]]}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert read_word_times(path) == {"a.wav": [("one", 0.5, 0.75)]}
    path.write_text('{"audio_filepath": "a.wav"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"times\.jsonl: no word times"):
        read_word_times(path)


def test_a_small_plot_that_changes_only_with_the_figures(tmp_path: Path) -> None:
    report = fit_calibration(outcomes(2000))
    for name in ("one.svg", "two.svg", "one.png"):
        draw_reliability(tmp_path / name, report)
    drawn = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert f"2,000 words, error {report.error_after:.3f}" in drawn
    assert len(drawn) < 30_000
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_words_are_compared_with_what_was_said(tmp_path: Path) -> None:
    """Of a recording of which one word of the text is wrong, and one word's times are known."""
    recognizer = Recognizer.load(device="cpu", decoder="greedy", calibrated=False)
    heard = recognizer.transcribe(CLIP).words
    said = [word.text for word in heard]
    said[3] = "elsewhere"
    row = Utterance(CLIP, 5.0, " ".join(said), "", "")
    times = {CLIP.name: [(heard[0].text, heard[0].start - 0.1, heard[0].end - 0.2)]}
    found = word_outcomes([row], recognizer, times)
    assert [one.right for one in found] == [index != 3 for index in range(len(said))]
    assert [one.confidence for one in found] == [word.confidence for word in heard]
    assert found[0].late == pytest.approx((0.1, 0.2))
    assert {one.late for one in found[1:]} == {None}
