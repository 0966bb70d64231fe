"""Synthetic corpora: which sentences, resumable, and what a trainer reads of them."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_train.data.audio_store import Samples
from asr_train.data.manifest import read_manifest
from asr_train.errors import ConfigError, DataError
from asr_train.synthesis import engines
from asr_train.synthesis.corpus import CorpusConfig, make_corpus, read_sentences
from asr_train.synthesis.engines import Engine, load_engine

SENTENCES = [f"sentence number {'abcdefgh'[index]} of the book" for index in range(8)]


class Talker:
    """Speaks every text as a tone, at once."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, text: str, rng: np.random.Generator) -> tuple[Samples, str]:
        self.said.append(text)
        if text.startswith("sentence number c"):
            return np.zeros(0, np.float32), ""
        time = np.arange(8_000 + rng.integers(8_000)) / 16_000
        return np.sin(900.0 * time).astype(np.float32) * 3.0, f"voice-{rng.integers(99)}"


def test_only_sentences_that_can_be_trained_on(tmp_path: Path) -> None:
    lines = ["too short", "a line that fits", "chapter 7 of the book", " ".join(["long"] * 40)]
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.xz"
    plain.write_text("\n".join(lines))
    packed.write_bytes(lzma.compress("\n".join(lines).encode()))
    for path in (plain, packed):
        assert read_sentences(path, CorpusConfig(hours=1)) == ["a line that fits"]
    with pytest.raises(DataError, match="no line has 9 to 30 words"):
        read_sentences(plain, CorpusConfig(hours=1, min_words=9))
    with pytest.raises(DataError, match="cannot read the text"):
        read_sentences(tmp_path / "none.txt", CorpusConfig(hours=1))


def test_a_corpus_is_a_training_set(tmp_path: Path) -> None:
    config = CorpusConfig(hours=4 / 3600)
    manifest = make_corpus(SENTENCES, Talker(), "tone", tmp_path, config)
    rows = read_manifest(manifest)
    assert sum(row.duration for row in rows) >= 4.0
    assert len({row.text for row in rows}) == len(rows)
    assert not any("number c" in row.text for row in rows), "nothing was said, nothing is listed"
    assert all(row.speaker.startswith("voice-") for row in rows)
    for row in rows:
        samples, rate = soundfile.read(row.audio)
        assert rate == 16_000
        assert len(samples) / rate == pytest.approx(row.duration, abs=1e-3)
        assert np.abs(samples).max() <= 0.91, "no clipping"


def test_a_stopped_corpus_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = make_corpus(SENTENCES, Talker(), "tone", tmp_path / "a", CorpusConfig(hours=4 / 3600))
    make_corpus(SENTENCES, Talker(), "tone", tmp_path / "b", CorpusConfig(hours=2 / 3600))
    again = Talker()
    parts = make_corpus(SENTENCES, again, "tone", tmp_path / "b", CorpusConfig(hours=4 / 3600))
    assert parts.read_text() == whole.read_text()
    assert len(again.said) < len(whole.read_text().splitlines())


def test_seeds_choose_other_sentences(tmp_path: Path) -> None:
    first = [
        json.loads(
            make_corpus(
                SENTENCES, Talker(), "tone", tmp_path / str(seed), CorpusConfig(1 / 3600, seed)
            )
            .read_text()
            .splitlines()[0]
        )["text"]
        for seed in range(5)
    ]
    assert len(set(first)) > 1


def test_a_missing_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> engines.Speak:
        raise ModuleNotFoundError("No module named 'hibari'")

    monkeypatch.setattr(engines, "_hibari", missing)
    with pytest.raises(ConfigError, match=r"pip install 'asr-export\[synthesis\]'"):
        load_engine(Engine.hibari)


@pytest.mark.parametrize(("engine", "package"), [("hibari", "hibari"), ("nanotts", "py_nanotts")])
def test_engines_speak_in_many_voices(engine: str, package: str) -> None:
    pytest.importorskip(package, reason=f"the optional engine {engine} is not installed")
    speak = load_engine(Engine(engine))
    spoken = [speak("the old man sat down", np.random.default_rng(seed)) for seed in (0, 1, 2)]
    assert len({voice for _, voice in spoken}) == 3
    for samples, _ in spoken:
        assert samples.dtype == np.float32
        assert 0.6 < len(samples) / 16_000 < 4.0
        assert 0.01 < np.abs(samples).max() < 2.0
    again, voice = speak("the old man sat down", np.random.default_rng(0))
    assert voice == spoken[0][1]
    np.testing.assert_allclose(again, spoken[0][0], atol=0.02)
