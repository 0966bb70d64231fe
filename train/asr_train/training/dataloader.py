"""Batches as PyTorch's loader makes them: utterances decoded and changed one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader

from asr_train.augmentation.config import AugmentationConfig
from asr_train.augmentation.waveform import Augmenter
from asr_train.data.audio_store import AudioStore
from asr_train.data.batching import Batch, Collate, UtteranceDataset
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError
from asr_train.model.config import ModelConfig
from asr_train.training.interruption import ignore_interrupts


class LoaderBatches:
    """A ``BatchSource`` for any store; ``workers`` processes prepare batches ahead."""

    def __init__(
        self,
        utterances: Sequence[Utterance],
        store: AudioStore,
        model: ModelConfig,
        augmentation: AugmentationConfig,
        *,
        pad_to: int | None = None,
        workers: int = 0,
    ) -> None:
        """Prepare batches of a training set.

        Args:
            utterances: training set.
            store: its audio.
            model: for the number of frames that CTC needs.
            augmentation: what is done to each utterance.
            pad_to: samples to pad every batch to; None for its longest utterance's.
            workers: loader processes; 0 for this one.
        """
        self._texts = [row.text for row in utterances]
        self._store, self._model, self._augmentation = store, model, augmentation
        self._pad_to, self._workers = pad_to, workers

    def epoch(
        self, plan: Sequence[Sequence[int]], seed: int, step_seeds: Sequence[int]
    ) -> Iterator[Batch]:
        """Make an epoch's batches; every utterance's changes follow from ``seed`` and its place."""
        augmenter = None
        if self._augmentation != AugmentationConfig():
            augmenter = Augmenter(self._augmentation, self._model, seed)
        loader: DataLoader[Any] = DataLoader(
            UtteranceDataset(self._texts, self._store, augmenter),
            batch_sampler=[list(indices) for indices in plan],
            collate_fn=Collate(self._pad_to),
            num_workers=self._workers,
            worker_init_fn=ignore_interrupts,
        )
        for batch in loader:
            if isinstance(batch, DataError):
                raise batch
            yield batch
