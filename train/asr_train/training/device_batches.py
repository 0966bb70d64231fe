"""Batches made where they are used: all audio lies in the memory of the training device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from asr_train.augmentation.batched import BatchAugmenter
from asr_train.augmentation.config import AugmentationConfig
from asr_train.data.audio_store import CachedStore
from asr_train.data.batching import Batch
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError
from asr_train.model.config import ModelConfig
from asr_train.model.features import length_mask
from asr_train.model.vocabulary import encode, min_frames_for_ctc


class DeviceBatches:
    """A ``BatchSource`` that cuts, pads and augments on the device.

    An hour of audio takes 115 MB there. No loader processes and no copies: the processor only says
    which utterances come next. Of several processes, each draws the changes of its own share: they
    take other steps than one process would.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        store: CachedStore,
        model: ModelConfig,
        augmentation: AugmentationConfig,
        device: torch.device,
        seed: int,
        *,
        pad_to: int | None = None,
    ) -> None:
        """Copy the audio to the device.

        Args:
            utterances: training set.
            store: its decoded audio.
            model: for the number of frames that CTC needs.
            augmentation: what is done to a batch.
            device: where training runs.
            seed: of the sounds without words.
            pad_to: samples to pad every batch to; None for its longest utterance's.

        Raises:
            DataError: the device has too little memory for the audio.
        """
        try:
            # A copy: PyTorch does not take read-only memory maps.
            self._data = torch.from_numpy(store.data.copy()).to(device)
        except torch.OutOfMemoryError:
            raise DataError(
                f"the device's memory does not hold {store.data.nbytes / 1e9:.1f} GB of decoded "
                "audio; leave out --audio-on-device"
            ) from None
        spans = torch.tensor([store.span(index) for index in range(len(utterances))])
        self._starts, self._sizes = spans[:, 0], spans[:, 1] - spans[:, 0]
        self._targets = [torch.tensor(encode(row.text)) for row in utterances]
        self._shortest = torch.tensor(
            [(min_frames_for_ctc(row.text) - 1) * model.frame_stride for row in utterances]
        )
        self._device, self._pad_to = device, pad_to or 0
        self._augmenter = None
        if augmentation != AugmentationConfig():
            self._augmenter = BatchAugmenter(augmentation, device, seed)

    def epoch(
        self, plan: Sequence[Sequence[int]], seed: int, step_seeds: Sequence[int]
    ) -> Iterator[Batch]:
        """Make an epoch's batches; a batch's changes follow from its step's seed."""
        for indices, step_seed in zip(plan, step_seeds, strict=True):
            yield self._batch(torch.tensor(indices), step_seed)

    def _batch(self, indices: Tensor, seed: int) -> Batch:
        device = self._device
        starts, lengths = self._starts[indices].to(device), self._sizes[indices].to(device)
        size = int(self._sizes[indices].max())
        place = starts[:, None] + torch.arange(size, device=device)
        samples = self._data[place.clamp(max=len(self._data) - 1)].float() / 32768.0
        samples = samples * length_mask(lengths, size)
        targets = [self._targets[index] for index in indices.tolist()]
        if self._augmenter is not None:
            shortest = self._shortest[indices].to(device)
            samples, lengths, speech = self._augmenter(samples, lengths, shortest, seed)
            targets = [
                target if spoken else target[:0]
                for target, spoken in zip(targets, speech, strict=True)
            ]
        missing = max(self._pad_to - samples.shape[1], 0)
        return Batch(
            samples=torch.nn.functional.pad(samples, (0, missing)),
            lengths=lengths,
            targets=torch.cat(targets).to(device),
            target_lengths=torch.tensor([len(target) for target in targets], device=device),
            indices=indices,
        )
