"""How a batch of utterances becomes tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from asr_train.data.audio_store import AudioStore, Samples
from asr_train.errors import DataError
from asr_train.model.vocabulary import encode

#: Changes utterance ``index``, its samples and its text, before it goes into a batch.
Transform = Callable[[int, Samples, str], tuple[Samples, str]]


@dataclass(frozen=True)
class Batch:
    """Padded samples and concatenated transcripts.

    Attributes:
        samples: float32 [batch, samples], zeros past the end.
        lengths: int64 [batch], samples.
        targets: int64 [sum of target_lengths], class indices.
        target_lengths: int64 [batch].
        indices: int64 [batch], places of the utterances in the list.
    """

    samples: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor
    indices: Tensor


class UtteranceDataset(Dataset[tuple[int, Samples, list[int]] | DataError]):
    """(index, samples, target) by index; unreadable audio comes back as the error itself.

    An exception raised in a loader's worker process would reach the user wrapped in two
    tracebacks; ``collate`` hands it on and the training loop raises it in the main process.
    """

    def __init__(
        self, texts: Sequence[str], store: AudioStore, transform: Transform | None = None
    ) -> None:
        self._texts = texts
        self._store = store
        self._transform = transform

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> tuple[int, Samples, list[int]] | DataError:
        try:
            samples = self._store[index]
        except DataError as error:
            return error
        text = self._texts[index]
        if self._transform is not None:
            samples, text = self._transform(index, samples, text)
        return index, samples, encode(text)


class Collate:
    """Pads a list of items into a ``Batch``; loader worker processes can unpickle it."""

    def __init__(self, pad_to_samples: int | None = None) -> None:
        self._pad_to_samples = pad_to_samples

    def __call__(
        self, items: Sequence[tuple[int, Samples, list[int]] | DataError]
    ) -> Batch | DataError:
        """Pad (index, samples [samples], target [labels]) items, or return the first error."""
        rows = []
        for item in items:
            if isinstance(item, DataError):
                return item
            rows.append(item)
        size = max([len(samples) for _, samples, _ in rows] + [self._pad_to_samples or 0])
        padded = np.zeros((len(rows), size), dtype=np.float32)
        for row, (_, samples, _) in zip(padded, rows, strict=True):
            row[: len(samples)] = samples
        return Batch(
            samples=torch.from_numpy(padded),
            lengths=torch.tensor([len(samples) for _, samples, _ in rows]),
            targets=torch.tensor(
                [label for _, _, target in rows for label in target], dtype=torch.long
            ),
            target_lengths=torch.tensor([len(target) for _, _, target in rows]),
            indices=torch.tensor([index for index, _, _ in rows]),
        )
