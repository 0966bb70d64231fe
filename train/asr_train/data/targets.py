"""Phoneme sequences of the training transcripts, for the second head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from asr_train.data.batching import Batch
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError


class PhonemeTargets:
    """What the phoneme head is to learn of each utterance: the first pronunciation of each word."""

    def __init__(
        self, utterances: Sequence[Utterance], lexicon: Mapping[str, Sequence[bytes]]
    ) -> None:
        """Look up every word of the transcripts.

        Args:
            utterances: training set.
            lexicon: phoneme ids of each word's pronunciations, as ``read_lexicon`` gives them.

        Raises:
            DataError: a word of a transcript that it lacks.
        """
        self.sequences = [_pronounce(row, lexicon) for row in utterances]
        self._targets = [torch.tensor(list(sequence)) for sequence in self.sequences]

    def of(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """int64 [sum of lengths] phonemes of a batch, and their int64 [batch] lengths.

        An utterance that gave way to a sound without words has none.
        """
        targets = [
            self._targets[index][: 0 if spoken == 0 else None]
            for index, spoken in zip(
                batch.indices.tolist(), batch.target_lengths.tolist(), strict=True
            )
        ]
        return torch.cat(targets), torch.tensor([len(target) for target in targets])


def _pronounce(row: Utterance, lexicon: Mapping[str, Sequence[bytes]]) -> bytes:
    try:
        return b"".join(lexicon[word][0] for word in row.text.split())
    except KeyError as error:
        raise DataError(
            f"{row.origin}: the lexicon has no pronunciation of {error}; "
            "make one for these transcripts with: asr-train lexicon"
        ) from None
