"""Counting of names that are heard as hotwords, and of false alarms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr_bench.hotwords import measurement, spoken_names
from asr_bench.hotwords.measurement import measure_hotwords
from asr_bench.hotwords.spoken_names import NAMES, SENTENCES, SpokenName, speak_names
from asr_train.data.manifest import read_manifest
from asr_train.synthesis.engines import Engine


class FakeRecognizer:
    """Hears names that begin with p as hotwords, and one in the speech of others as well."""

    def __init__(self, hotwords: tuple[str, ...]) -> None:
        self.hot = bool(hotwords)

    @classmethod
    def load(cls, model: Path | None, **options: Any) -> FakeRecognizer:
        return cls(tuple(options["hotwords"]))

    def transcribe(self, audio: Any, sample_rate: int = 0) -> SimpleNamespace:
        if isinstance(audio, Path):
            return SimpleNamespace(text="bad papadakis" if self.hot else "bad cab")
        name = NAMES[int(audio[0])]
        heard = name if self.hot and name.startswith("p") else "pop a dock"
        return SimpleNamespace(text=f"please call {heard}")


def test_found_missed_and_made_up(
    monkeypatch: pytest.MonkeyPatch, write_manifest: Callable[..., Path]
) -> None:
    monkeypatch.setattr(measurement, "Recognizer", FakeRecognizer)
    recordings = [
        SpokenName(name, f"please call {name}", "someone", np.full(9, NAMES.index(name)))
        for name in ("panayotov", "papadakis", "zalewska")
    ]
    others = read_manifest(write_manifest(["bad cab", "bad"]))
    report = measure_hotwords(NAMES, recordings, others)
    assert (report.spoken, report.found, report.found_without) == (3, 2, 0)
    assert [miss["said"] for miss in report.missed] == ["please call zalewska"]
    assert report.false_alarms == ["papadakis", "papadakis"]
    assert report.word_error_rate == pytest.approx(2 / 3)
    first, second = report.lines()
    assert first.startswith("3 recordings: 66.7 % of the names found, 0.0 % without")
    rate = 20 / (sum(row.duration for row in others) / 60)
    assert f"{rate:.2f} false alarms in 10 minutes; 66.67 % of words wrong, 33.33 %" in second


def test_every_name_is_spoken_in_other_sentences_and_voices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        spoken_names,
        "load_engine",
        lambda engine: lambda text, rng: (np.zeros(3, np.float32), f"{rng.random():.3f}"),
    )
    spoken = list(speak_names(NAMES[:3], list(Engine), 2, seed=4))
    assert len(spoken) == 3 * 2 * 2
    assert all(one.name in one.text.split() for one in spoken)
    assert len({one.voice for one in spoken}) == len(spoken) // 2 * 2
    assert spoken[0].text != spoken[1].text


def test_names_are_forty_words_of_letters() -> None:
    assert len(set(NAMES)) == 40
    assert all(re.fullmatch("[a-z]+", name) for name in NAMES)
    assert all(sentence.count("{}") == 1 for sentence in SENTENCES)
