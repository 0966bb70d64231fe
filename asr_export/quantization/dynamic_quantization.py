"""Recurrent and linear layers that compute in int8 as well, by PyTorch's dynamic quantisation.

Weights are int8 with one scale a layer, and each layer rounds its input to 7 or 8 bits by the range
that it sees. PyTorch takes that range over the whole batch: with padding and company, an
utterance's log-probabilities moved by up to 0.6. The model contract forbids that, so utterances
run one after the other, each without its padding.
"""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn

from asr_export.errors import ExportError
from asr_train.model.config import ModelConfig
from asr_train.model.network import PADDING_LOG_PROB, ResCNNBiGRU
from asr_train.model.vocabulary import BLANK_ID


class UtteranceByUtterance(nn.Module):
    """A model with one head, ``JoinedHeads`` of a batch of one, run on each utterance of a batch.

    It is written so that ``torch.jit.script`` takes it too.
    """

    def __init__(self, network: nn.Module, frame_stride: int, blanks: list[int]) -> None:
        """Wrap a network.

        Args:
            network: gives log-probabilities of all heads for a batch of one.
            frame_stride: samples from one frame to the next.
            blanks: indices of the heads' blanks among the joined classes.
        """
        super().__init__()
        self.network = network
        self.frame_stride = frame_stride
        self.blanks = blanks
        self.padding = PADDING_LOG_PROB

    def forward(self, input_values: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run a batch, by the model contract.

        Args:
            input_values: float32 [batch, samples].
            input_lengths: int64 [batch], samples of each.

        Returns:
            Log-probabilities float32 [batch, frames, classes], and frames int64 [batch].
        """
        return self.joined(input_values, input_lengths)

    def joined(self, input_values: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run a batch, with the log-probabilities of all heads side by side.

        Args:
            input_values: float32 [batch, samples].
            input_lengths: int64 [batch], samples of each.

        Returns:
            Float32 [batch, frames, classes of all heads], the certain blank past the length, and
            frames int64 [batch].
        """
        rows: list[Tensor] = []
        lengths: list[Tensor] = []
        for row in range(input_values.shape[0]):
            samples = int(input_lengths[row])
            logprobs, length = self.network(
                input_values[row : row + 1, :samples], input_lengths[row : row + 1]
            )
            rows.append(logprobs[0])
            lengths.append(length)
        frames = input_values.shape[1] // self.frame_stride + 1
        result = rows[0].new_full((len(rows), frames, rows[0].shape[1]), self.padding)
        for blank in self.blanks:
            result[:, :, blank] = 0.0
        for index, values in enumerate(rows):
            result[index, : len(values)] = values
        return result, torch.cat(lengths)


class TwoHeadedUtteranceByUtterance(UtteranceByUtterance):
    """Runs a model with a phoneme head on each utterance of a batch."""

    def forward(  # type: ignore[override]
        self, input_values: Tensor, input_lengths: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run a batch, by the model contract, with the phonemes as third output.

        Args:
            input_values: float32 [batch, samples].
            input_lengths: int64 [batch], samples of each.

        Returns:
            Log-probabilities of letters float32 [batch, frames, classes], frames int64 [batch], and
            log-probabilities of phonemes float32 [batch, frames, phonemes + 1].
        """
        rows, lengths = self.joined(input_values, input_lengths)
        letters = self.blanks[0] + 1
        return rows[:, :, :letters], lengths, rows[:, :, letters:]


class JoinedHeads(nn.Module):
    """A model whose heads' log-probabilities are side by side in one output."""

    def __init__(self, model: ResCNNBiGRU) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_values: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run a batch.

        Returns:
            Log-probabilities float32 [batch, frames, classes of all heads], and frames int64
            [batch].
        """
        letters, lengths, *phonemes = self.model(input_values, input_lengths)
        return torch.cat([letters, *phonemes], 2), lengths


def utterance_by_utterance(network: nn.Module, config: ModelConfig) -> UtteranceByUtterance:
    """Make a model for batches of any size of one for batches of one.

    Args:
        network: ``JoinedHeads`` of a model, or a trace of it.
        config: the model's sizes.
    """
    blanks = [BLANK_ID]
    if not config.phonemes:
        return UtteranceByUtterance(network, config.frame_stride, blanks)
    blanks.append(BLANK_ID + 1 + config.phonemes)
    return TwoHeadedUtteranceByUtterance(network, config.frame_stride, blanks)


def quantized(model: ResCNNBiGRU) -> ResCNNBiGRU:
    """Copy a model, with recurrent and linear layers quantised, for batches of one.

    Raises:
        ExportError: this build of PyTorch has no int8 kernels.
    """
    if torch.backends.quantized.engine == "none":
        raise ExportError("this build of PyTorch has no int8 kernels; export with --precision fp32")
    clone = copy.deepcopy(model).eval().requires_grad_(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated in favour of a package of its own
        result: ResCNNBiGRU = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
            clone, {nn.GRU, nn.Linear}, dtype=torch.qint8
        )
    return result
