"""Scoring under other conditions than the recordings' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.data.audio_store import FileStore
from asr_train.data.manifest import read_manifest
from asr_train.evaluation.evaluate import Condition, evaluate
from asr_train.model.chunking import Chunking

RNG = np.random.default_rng(0)
SPEECH = (0.2 * np.sin(np.arange(16_000) * 0.3)).astype(np.float32)


def _db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def test_the_plain_condition_changes_nothing() -> None:
    samples, text = Condition()(0, SPEECH, "abc")
    assert text == "abc"
    np.testing.assert_array_equal(samples, SPEECH)


def test_level_and_noise_are_as_asked() -> None:
    faint, _ = Condition(gain_db=-20.0)(0, SPEECH, "")
    assert _db(faint) == pytest.approx(_db(SPEECH) - 20.0, abs=0.01)
    noisy, _ = Condition(snr_db=10.0)(0, SPEECH, "")
    assert _db(SPEECH) - _db(noisy - SPEECH) == pytest.approx(10.0, abs=0.05)


def test_noise_is_repeatable_and_differs_between_utterances() -> None:
    condition = Condition(snr_db=10.0)
    first, again, other = (condition(index, SPEECH, "")[0] for index in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_stream_is_scored_as_one(loaded: Checkpoint, write_manifest: Callable[..., Path]) -> None:
    rows = read_manifest(write_manifest(["cab bead", "deaf", "fade cafe"]))
    store = FileStore(rows)
    whole = evaluate(loaded.model, rows, store, progress=False)
    limit = evaluate(loaded.model, rows, store, chunking=Chunking(5, 500), progress=False)
    short = evaluate(loaded.model, rows, store, chunking=Chunking(5, 2), progress=False)
    assert limit.texts == whole.texts
    assert limit.loss == pytest.approx(whole.loss, abs=1e-4)
    assert abs(short.loss - whole.loss) > 1e-3
