"""A checkpoint at the precision of an export, rounded once for all steps of it."""

from __future__ import annotations

from functools import cached_property

from torch import nn

from asr_export.quantization.dynamic_quantization import (
    JoinedHeads,
    quantized,
    utterance_by_utterance,
)
from asr_export.quantization.half_precision import in_half_precision
from asr_export.quantization.precision import Arithmetic
from asr_export.quantization.weights import round_weights
from asr_export.source.card import export_card
from asr_export.source.options import ExportOptions
from asr_runtime.model_file.model_card import ModelCard
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU


class QuantizedCheckpoint:
    """What a format writes down, and what the written file is compared with.

    Each form of the model is made when it is first asked for, and kept, so that the file and the
    reference that it is compared with hold the very same weights. No one may change them.

    Attributes:
        checkpoint: the model as it was trained.
        options: of the export, with the arithmetic that the format has settled on.
    """

    def __init__(self, checkpoint: Checkpoint, options: ExportOptions | None = None) -> None:
        self.checkpoint = checkpoint
        self.options = options or ExportOptions()

    @property
    def original(self) -> ResCNNBiGRU:
        """The network with the weights that training left."""
        return self.checkpoint.model

    @property
    def config(self) -> ModelConfig:
        """The network's sizes."""
        return self.original.config

    @cached_property
    def card(self) -> ModelCard:
        """The model card of the exported file.

        Raises:
            ExportError: the model has other phonemes than this version knows.
        """
        return export_card(self.checkpoint, self.options)

    @cached_property
    def rounded(self) -> ResCNNBiGRU:
        """The network with weights rounded to the precision; it computes in float32.

        Raises:
            ExportError: a weight that is not finite, or too large for float16.
        """
        return round_weights(self.original, self.options.precision)

    @cached_property
    def half(self) -> ResCNNBiGRU:
        """The network with weights and arithmetic in float16, behind a front end in float32.

        Raises:
            ExportError: a weight that is not finite, or too large for float16.
        """
        return in_half_precision(self.rounded)

    @cached_property
    def int8_network(self) -> JoinedHeads:
        """The network with recurrent and linear layers that compute in int8, for batches of one.

        Raises:
            ExportError: this build of PyTorch has no int8 kernels.
        """
        return JoinedHeads(quantized(self.original)).eval()

    @property
    def reference(self) -> nn.Module:
        """PyTorch's form of what the file should compute, to float32's last bits.

        For arithmetic in float16 this is the network in float32 with the same weights, because
        PyTorch's float16 is no reference: it rounds after every operation.
        """
        if self.options.computes_in is Arithmetic.int8:
            return utterance_by_utterance(self.int8_network, self.config)
        return self.rounded
