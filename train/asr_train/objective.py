"""What training minimises: CTC over augmented features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchaudio.functional import mask_along_axis_iid

from asr_train.chunking import Chunking, chunked_network
from asr_train.model import ResCNNBiGRU
from asr_train.vocabulary import BLANK_ID


@dataclass(frozen=True)
class MaskingConfig:
    """SpecAugment (Park et al. 2019, arXiv:1904.08779) without warping.

    Attributes:
        freq_mask: widest frequency mask, mel bands; 0 for none.
        time_mask: longest time mask, mel frames; 0 for none.
        freq_masks: frequency masks an utterance.
        time_masks: time masks an utterance.
    """

    freq_mask: int = 15
    time_mask: int = 35
    freq_masks: int = 1
    time_masks: int = 1


class CTCObjective(nn.Module):
    """Summed CTC loss of a batch; masks the features while in training mode."""

    def __init__(self, model: ResCNNBiGRU, masking: MaskingConfig) -> None:
        super().__init__()
        self.model = model
        self.masking = masking

    def forward(
        self,
        samples: Tensor,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
        chunking: Chunking | None = None,
    ) -> Tensor:
        """Negative log-likelihood, summed over the batch (natural logarithm, scalar).

        ``chunking``: compute it as on a stream that is cut so; None for whole utterances.
        """
        features, feature_lengths = self.model.front_end(samples, lengths)
        if self.training:
            features = self._mask(features)
        if chunking is None:
            logprobs, output_lengths = self.model.network(features, feature_lengths)
        else:
            logprobs, output_lengths = chunked_network(
                self.model, features, feature_lengths, chunking
            )
        # CTC sums over paths in float32 even where the network ran in bfloat16.
        with torch.autocast(samples.device.type, enabled=False):
            return functional.ctc_loss(
                logprobs.transpose(0, 1),
                targets,
                output_lengths,
                target_lengths,
                blank=BLANK_ID,
                reduction="sum",
            )

    def _mask(self, features: Tensor) -> Tensor:
        # 0 is the mean of a normalised feature: masked parts carry no information.
        x = features.unsqueeze(1)
        for axis, widest, count in (
            (2, self.masking.freq_mask, self.masking.freq_masks),
            (3, self.masking.time_mask, self.masking.time_masks),
        ):
            for _ in range(count if widest else 0):
                x = mask_along_axis_iid(x, widest, 0.0, axis)
        return x.squeeze(1)
