"""Batches made on the training device: the same audio and text as the loader's, and augmented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from asr_train.augmentation import batched
from asr_train.augmentation.config import AugmentationConfig
from asr_train.data.audio_store import CachedStore
from asr_train.data.batching import Batch
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import ConfigError, DataError
from asr_train.model.config import ModelConfig, preset
from asr_train.model.vocabulary import min_frames_for_ctc
from asr_train.training.config import TrainingConfig
from asr_train.training.dataloader import LoaderBatches
from asr_train.training.device_batches import DeviceBatches

CPU = torch.device("cpu")
PLAN = [[3, 0], [1, 2, 4]]
EVERYTHING = AugmentationConfig(
    speed=0.1, reverb=0.5, noise=0.5, band_limit=0.5, volume=0.5, silence=0.5, non_speech=0.3
)


@pytest.fixture(autouse=True)
def _few_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making all of them takes 3 s."""
    monkeypatch.setattr(batched, "SOUNDS", 4)


@pytest.fixture
def rows(write_manifest: Callable[..., Path]) -> list[Utterance]:
    # The last once more: a manifest may hold an utterance several times.
    rows = read_manifest(write_manifest(["a bad cab", "cab", "fade", "deaf cafe"]))
    return [*rows, rows[-1]]


@pytest.fixture
def store(rows: list[Utterance], tmp_path: Path) -> CachedStore:
    return CachedStore(rows, tmp_path / "cache")


def batches(
    rows: list[Utterance],
    store: CachedStore,
    config: AugmentationConfig,
    first: int = 0,
    passes: int = 1,
) -> list[Batch]:
    source = DeviceBatches(rows, store, preset("edge"), config, CPU, seed=1)
    plan = PLAN * passes
    return list(source.epoch(plan, 7, range(first, first + len(plan))))


@pytest.mark.parametrize("pad_to", [None, 100_000])
def test_they_are_the_loaders(
    rows: list[Utterance], store: CachedStore, pad_to: int | None
) -> None:
    given = (rows, store, preset("edge"), AugmentationConfig())
    loader = LoaderBatches(*given, pad_to=pad_to).epoch(PLAN, 7, [0, 1])
    device = DeviceBatches(*given, CPU, 1, pad_to=pad_to).epoch(PLAN, 7, [0, 1])
    for one, other in zip(loader, device, strict=True):
        for name in ("samples", "lengths", "targets", "target_lengths", "indices"):
            torch.testing.assert_close(getattr(other, name), getattr(one, name), rtol=0, atol=0)


def test_a_step_has_its_own_changes_and_repeats_them(
    rows: list[Utterance], store: CachedStore
) -> None:
    first, again, later = (
        batches(rows, store, EVERYTHING, first)[0].samples for first in (0, 0, 100)
    )
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    assert later.shape != first.shape or not torch.equal(later, first)


def test_everything_fits_together(rows: list[Utterance], store: CachedStore) -> None:
    config, silent = preset("edge"), 0
    for batch in batches(rows, store, EVERYTHING, passes=30):
        assert batch.samples.isfinite().all()
        assert batch.samples.shape[1] == batch.lengths.max()
        past = torch.arange(batch.samples.shape[1]) >= batch.lengths[:, None]
        assert not batch.samples[past].any()
        assert batch.target_lengths.sum() == len(batch.targets)
        for index, length, said in zip(
            batch.indices.tolist(),
            batch.lengths.tolist(),
            batch.target_lengths.tolist(),
            strict=True,
        ):
            assert said in (0, len(rows[index].text))
            assert config.frames(length) >= min_frames_for_ctc(rows[index].text)
            silent += said == 0
    assert 0.15 < silent / (30 * 5) < 0.45


def test_an_utterance_too_short_for_speed_keeps_its_own(
    rows: list[Utterance], store: CachedStore, tiny_config: ModelConfig
) -> None:
    # A frame stride at which the transcripts need every frame there is.
    coarse = ModelConfig(**{**tiny_config.to_dict(), "time_stride": 8})
    shortest = [(min_frames_for_ctc(row.text) - 1) * coarse.frame_stride for row in rows]
    source = DeviceBatches(rows, store, coarse, AugmentationConfig(speed=0.1), CPU, seed=1)
    lengths = np.array(
        [next(source.epoch([range(5)], 0, [step])).lengths.tolist() for step in range(20)]
    )
    sizes = [int(np.diff(store.span(index))[0]) for index in range(5)]
    assert all(lengths.min(axis=0) >= np.minimum(shortest, sizes))
    assert any(lengths.max(axis=0) > sizes)


def test_the_cache_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--audio-on-device needs --audio-cache"):
        TrainingConfig(out=tmp_path, audio_on_device=True)


def test_audio_that_does_not_fit_is_said_so(
    rows: list[Utterance], store: CachedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.Tensor, "to", full)
    with pytest.raises(DataError, match=r"does not hold 0\.0 GB .* leave out --audio-on-device"):
        DeviceBatches(rows, store, preset("edge"), AugmentationConfig(), CPU, seed=1)
