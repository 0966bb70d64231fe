"""What training minimises: CTC over augmented features, and agreement between two views of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchaudio.functional import mask_along_axis_iid

from asr_train.chunking import Chunking, chunked_network
from asr_train.features import length_mask
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
    """Summed CTC loss of a batch; masks the features while in training mode.

    With ``consistency`` above 0, every utterance is computed twice in training, with masks and
    dropout of its own each time; the loss is the mean of both, plus ``consistency`` times how far
    each one's distributions are from the other's, frame by frame (CR-CTC, Yao et al. 2024,
    arXiv:2410.05101).
    """

    def __init__(
        self, model: ResCNNBiGRU, masking: MaskingConfig, consistency: float = 0.0
    ) -> None:
        super().__init__()
        self.model = model
        self.masking = masking
        self.consistency = consistency

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
        # PyTorch lets a GPU round the inputs of convolutions to 10 bits (TF32): not the DFT's.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            features, feature_lengths = self.model.front_end(samples, lengths)
        views = 2 if self.training and self.consistency else 1
        if views == 2:
            features, feature_lengths = torch.cat([features] * 2), feature_lengths.repeat(2)
            targets, target_lengths = targets.repeat(2), target_lengths.repeat(2)
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
            nll = functional.ctc_loss(
                logprobs.transpose(0, 1),
                targets,
                output_lengths,
                target_lengths,
                blank=BLANK_ID,
                reduction="sum",
            )
            if views == 2:
                nll = nll / 2 + self.consistency * _disagreement(logprobs, output_lengths)
        return nll

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


def _disagreement(logprobs: Tensor, lengths: Tensor) -> Tensor:
    """Kullback-Leibler divergence between the halves of a batch, summed over frames, scalar.

    The mean of both directions; each half follows the other, held fixed.
    """
    first, second = logprobs.chunk(2)
    inside = length_mask(lengths[: len(first)], logprobs.shape[1])[:, :, None]
    total = logprobs.new_zeros(())
    for moving, fixed in ((first, second.detach()), (second, first.detach())):
        divergence = functional.kl_div(moving, fixed, reduction="none", log_target=True)
        total = total + divergence.masked_fill(~inside, 0.0).sum() / 2
    return total
