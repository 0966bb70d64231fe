"""How many floating-point operations a model's shape asks for, counted from its configuration.

Counted are the matrix products and convolutions, a multiply-add as two operations, borders and
padding included: what a matrix-product peak can be compared with. Not counted are what grows only
with the number of activations: biases, normalisations, GELU, gates, logarithms, log-softmax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asr_runtime.model_file.contract import SAMPLE_RATE
from asr_train.model.config import ModelConfig
from asr_train.model.vocabulary import NUM_CLASSES

_KERNEL = 3 * 3  # taps of every 2-D convolution


@dataclass(frozen=True)
class OperationCount:
    """Number of floating-point operations, by part of the network.

    Attributes:
        front_end: the DFT as a convolution, and the mel filters.
        convolutions: the first one and the residual blocks'.
        linear: the layer before the GRUs and the classifier's two.
        gru_input: the GRUs' products with their inputs, which can run on all frames at once.
        gru_recurrent: the GRUs' products with their hidden states, one frame after the other.
    """

    front_end: float
    convolutions: float
    linear: float
    gru_input: float
    gru_recurrent: float

    @property
    def total(self) -> float:
        """Sum of the parts."""
        return sum(self.parts().values())

    def parts(self) -> Mapping[str, float]:
        """The parts by name."""
        return dict(vars(self))


def count_operations(config: ModelConfig, samples: int) -> OperationCount:
    """Count the operations of one utterance.

    Args:
        config: the network's sizes.
        samples: length of the utterance.
    """
    return _count(config, config.mel_frames(samples), config.frames(samples))


def operations_per_second(config: ModelConfig) -> OperationCount:
    """Count the operations of a second of audio inside a long recording.

    A recording's end takes one frame more.
    """
    return _count(config, SAMPLE_RATE / config.hop_length, SAMPLE_RATE / config.frame_stride)


def _count(config: ModelConfig, mel_frames: float, frames: float) -> OperationCount:
    bins = config.n_fft // 2 + 1
    dft = config.n_fft * 2 * bins  # cosines and sines
    mel = bins * config.n_mels

    pixels = config.reduced_mels
    first = _KERNEL * config.channels * pixels
    residual = config.residual_blocks * 2 * _KERNEL * config.channels**2 * pixels

    gates, directions, hidden = 3, 2, config.gru_hidden
    outputs = directions * hidden
    inputs = config.rnn_dim + (config.gru_layers - 1) * outputs  # summed over the layers
    linear = (
        config.channels * pixels * config.rnn_dim
        + outputs * config.rnn_dim
        + config.rnn_dim * NUM_CLASSES
    )
    return OperationCount(
        front_end=2 * mel_frames * (dft + mel),
        convolutions=2 * frames * (first + residual),
        linear=2 * frames * linear,
        gru_input=2 * frames * directions * gates * hidden * inputs,
        gru_recurrent=2 * frames * directions * gates * hidden * hidden * config.gru_layers,
    )
