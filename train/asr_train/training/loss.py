"""What training minimises: CTC and LF-MMI over augmented features, and agreement of two views."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchaudio.functional import mask_along_axis_iid

from asr_train.augmentation.config import MaskingConfig
from asr_train.augmentation.vocal_tract import stretch_bands
from asr_train.model.chunking import Chunking, chunked_encode
from asr_train.model.features import length_mask
from asr_train.model.network import ResCNNBiGRU
from asr_train.training.config import LossConfig
from asr_train.training.denominator import Denominator, LabelTrigram


class TrainingLoss(nn.Module):
    """Summed loss of a batch; masks the features while in training mode.

    With ``consistency`` above 0, every utterance is computed twice in training, with masks and
    dropout of its own each time; the loss is the mean of both, plus ``consistency`` times how far
    each one's distributions are from the other's, frame by frame (CR-CTC, Yao et al. 2024,
    arXiv:2410.05101).

    A model with a phoneme head learns phonemes with a weight of 1 and letters with
    ``letter_weight``. Given ``phoneme_trigram``, the phonemes' loss can be LF-MMI, see
    ``denominator``: ``lf_mmi_ctc + 1`` times the CTC loss plus the denominator.
    """

    def __init__(
        self,
        model: ResCNNBiGRU,
        masking: MaskingConfig,
        config: LossConfig | None = None,
        phoneme_trigram: LabelTrigram | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.masking = masking
        self.config = config or LossConfig()
        self.denominator = None if phoneme_trigram is None else Denominator(phoneme_trigram)

    def forward(
        self,
        samples: Tensor,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
        chunking: Chunking | None = None,
        phonemes: tuple[Tensor, Tensor] | None = None,
        lf_mmi: bool = False,
    ) -> Tensor:
        """The loss summed over the batch (natural logarithm, scalar).

        Args:
            samples: float32 [batch, samples].
            lengths: int64 [batch], samples.
            targets: int64 [sum of target_lengths], letters.
            target_lengths: int64 [batch].
            chunking: compute it as on a stream that is cut so; None for whole utterances.
            phonemes: as ``targets`` and ``target_lengths``, for the second head; without them only
                the letters count, in full.
            lf_mmi: the phonemes' loss is LF-MMI rather than CTC.
        """
        # PyTorch lets a GPU round the inputs of convolutions to 10 bits (TF32): not the DFT's.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            features, feature_lengths = self.model.front_end(samples, lengths)
        views = 2 if self.training and self.config.consistency else 1
        if views == 2:
            features, feature_lengths = torch.cat([features] * 2), feature_lengths.repeat(2)
        if self.training:
            features = self._mask(features)
        if chunking is None:
            encoded, frames = self.model.encode(features, feature_lengths)
        else:
            encoded, frames = chunked_encode(self.model, features, feature_lengths, chunking)
        letters = self.model.letter_logprobs(encoded)
        # CTC sums over paths in float32 even where the network ran in bfloat16.
        with torch.autocast(samples.device.type, enabled=False):
            loss = self._ctc(letters, frames, targets, target_lengths)
            loss = self._over_views(loss, letters, frames, views)
        if phonemes is None:
            return loss
        sounds = self.model.phoneme_logprobs(encoded)
        with torch.autocast(samples.device.type, enabled=False):
            spoken = self._ctc(sounds, frames, *phonemes)
            if lf_mmi:
                assert self.denominator is not None
                spoken = (1 + self.config.lf_mmi_ctc) * spoken + self.denominator(sounds, frames)
            spoken = self._over_views(spoken, sounds, frames, views)
        return spoken + self.config.letter_weight * loss

    def _ctc(self, logprobs: Tensor, lengths: Tensor, targets: Tensor, sizes: Tensor) -> Tensor:
        """Summed CTC loss of [batch, frames, classes], of one or two views of the same targets."""
        views = len(lengths) // len(sizes)
        return functional.ctc_loss(
            logprobs.transpose(0, 1),
            targets.repeat(views),
            lengths,
            sizes.repeat(views),
            blank=logprobs.shape[2] - 1,
            reduction="sum",
        )

    def _over_views(self, loss: Tensor, logprobs: Tensor, lengths: Tensor, views: int) -> Tensor:
        if views == 1:
            return loss
        return loss / 2 + self.config.consistency * _disagreement(logprobs, lengths)

    def _mask(self, features: Tensor) -> Tensor:
        if widest := self.masking.vocal_tract:
            draws = torch.rand(len(features), device=features.device)
            features = stretch_bands(features, 1 + widest * (2 * draws - 1))
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
