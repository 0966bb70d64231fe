"""Where a run's audio and batches come from: files, a decoded cache, or the device's memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from accelerate import Accelerator

from asr_train.data.audio_store import AudioStore, CachedStore, FileStore
from asr_train.data.batch_plan import PadTo
from asr_train.data.batching import Batch
from asr_train.data.manifest import Utterance
from asr_train.model.config import SAMPLE_RATE, ModelConfig
from asr_train.training.config import TrainingConfig
from asr_train.training.dataloader import LoaderBatches
from asr_train.training.device_batches import DeviceBatches


class BatchSource(Protocol):
    """Makes the batches of an epoch."""

    def epoch(
        self, plan: Sequence[Sequence[int]], seed: int, step_seeds: Sequence[int]
    ) -> Iterator[Batch]:
        """Make an epoch's batches, the same ones for the same seeds.

        Args:
            plan: places of the utterances of each batch.
            seed: of the epoch.
            step_seeds: of each batch.

        Yields:
            One batch for each entry of ``plan``.
        """
        ...


def audio_store(
    utterances: Sequence[Utterance], config: TrainingConfig, accelerator: Accelerator
) -> AudioStore:
    """The audio of a set; the main process decodes it first where a cache is asked for."""
    if config.audio_cache is None:
        return FileStore(utterances)
    with accelerator.main_process_first():
        return CachedStore(utterances, config.audio_cache)


def batch_source(
    utterances: Sequence[Utterance],
    store: AudioStore,
    model: ModelConfig,
    config: TrainingConfig,
    device: torch.device,
    longest: float,
) -> BatchSource:
    """What makes the training batches.

    Args:
        utterances: training set.
        store: its audio.
        model: for the number of frames that CTC needs.
        config: augmentation, padding, and where batches are made.
        device: where training runs.
        longest: seconds of the longest utterance of all sets.

    Raises:
        DataError: the device has too little memory for the audio.
    """
    pad_to = round(longest * SAMPLE_RATE) if config.pad_to is PadTo.max else None
    augmentation = config.augmentation
    if config.audio_on_device:
        assert isinstance(store, CachedStore)  # TrainingConfig asks for its folder
        return DeviceBatches(
            utterances, store, model, augmentation, device, config.seed, pad_to=pad_to
        )
    return LoaderBatches(
        utterances, store, model, augmentation, pad_to=pad_to, workers=config.workers
    )
