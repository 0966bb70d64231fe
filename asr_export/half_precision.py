"""A model that computes in float16, as GPUs do it fastest, behind a front end in float32."""

from __future__ import annotations

from torch import Tensor

from asr_export.precision import Precision
from asr_export.weight_rounding import round_weights
from asr_train.features import LogMelFrontEnd
from asr_train.model import ResCNNBiGRU


class HalfFrontEnd(LogMelFrontEnd):
    """Features in float16 of arithmetic in float32.

    Powers of the DFT, up to 10^4, and the 10^-6 that silence has do not both fit float16, nor
    would a logarithm survive it. Normalised features are of a few units.
    """

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See ``LogMelFrontEnd.forward``; float16 [batch, n_mels, frames]."""
        features, frame_lengths = super().forward(samples, lengths)
        return features.half(), frame_lengths


def in_half_precision(model: ResCNNBiGRU) -> ResCNNBiGRU:
    """A copy whose network, all between features and logits, has float16 weights and arithmetic.

    Input, log-softmax and outputs stay float32; lengths and masks are whole numbers and 0 or 1.

    Raises:
        ExportError: a weight that is not finite, or too large for float16.
    """
    half = round_weights(model, Precision.fp16)
    front_end = HalfFrontEnd(model.config)
    front_end.load_state_dict(model.front_end.state_dict())
    for part in half.children():
        if part is not half.front_end:
            part.half()
    half.front_end = front_end
    return half.eval()
