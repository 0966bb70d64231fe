"""Model configuration: its fields, the two presets, JSON, and what weights are held as."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from asr_runtime.model_file import contract
from asr_train.errors import ConfigError
from asr_train.settings import check_settings, convert, field_types, setting

SAMPLE_RATE = contract.SAMPLE_RATE
"""Samples a second, the model contract's only rate."""


class WeightQuantization(str, Enum):
    """What weights are rounded to; the network computes in float32 all the same.

    Attributes:
        none: they stay as they are.
        fp16: all to float16.
        int8: the matrices of recurrent and linear layers to 8 bits, each output's row with a scale
            of its own (see ``quantize_rows``), the last layer and the rest to float16.
    """

    none = "none"
    fp16 = "fp16"
    int8 = "int8"


@dataclass(frozen=True)
class ModelConfig:
    """Every number that fixes the shape of a ResCNN-BiGRU and its mel front end."""

    n_mels: int = setting(80, "Mel bands.", least=1)
    n_fft: int = setting(400, "Samples per DFT window, which is also the Hann window.", least=1)
    hop_length: int = setting(160, "Samples between mel frames.", least=1)
    channels: int = setting(32, "Channels of every convolution.", least=1)
    residual_blocks: int = setting(3, "Residual blocks after the first convolution.", least=0)
    time_stride: int = setting(
        3, "Mel frames per network frame: stride of the first convolution in time.", least=1
    )
    mel_stride: int = setting(
        2, "Mel bands that the first convolution merges: its stride in frequency.", least=1
    )
    rnn_dim: int = setting(
        256,
        "Width of the linear layer that feeds the GRU, and of the classifier's hidden layer.",
        least=1,
    )
    gru_hidden: int = setting(256, "Hidden units of each direction.", least=1)
    gru_layers: int = setting(3, "Bidirectional GRU layers.", least=1)
    dropout: float = setting(0.1, "Dropout probability, in every block.", least=0, below=1)
    phonemes: int = setting(
        0,
        "Phonemes that a second head tells apart, its blank not counted; 0 for no such head.",
        least=0,
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.hop_length > self.n_fft:
            raise ConfigError(
                f"hop_length {self.hop_length} is longer than the window n_fft {self.n_fft}: "
                "samples between windows would be lost"
            )
        if self.n_mels > self.n_fft // 2:
            raise ConfigError(f"n_mels {self.n_mels} needs an n_fft of at least {2 * self.n_mels}")

    @property
    def frame_stride(self) -> int:
        """Samples between two frames of log-probabilities."""
        return self.hop_length * self.time_stride

    @property
    def context_frames(self) -> int:
        """Frames before a chunk that its convolutions and DFT windows reach into."""
        # Two 3x3 convolutions a block, one before them (a mel frame to each side), half a window.
        samples = 2 * self.residual_blocks * self.frame_stride + self.hop_length + self.n_fft // 2
        return -(-samples // self.frame_stride)

    @property
    def reduced_mels(self) -> int:
        """Mel bands left after the first convolution."""
        return (self.n_mels - 1) // self.mel_stride + 1

    def mel_frames(self, samples: int) -> int:
        """Mel frames of a recording of so many samples (centred windows)."""
        return samples // self.hop_length + 1

    def frames(self, samples: int) -> int:
        """Frames of log-probabilities of a recording of so many samples."""
        return samples // self.frame_stride + 1

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelConfig:
        """A configuration from JSON values; fields that are not given have their defaults.

        Raises:
            ConfigError: an unknown field, a value of another type or one that is out of range.
        """
        types = field_types(cls)
        for name in values:
            if name not in types:
                known = ", ".join(types)
                raise ConfigError(f"unknown model field '{name}'; the fields are: {known}")
        return cls(**{name: convert(name, value, types[name]) for name, value in values.items()})


PRESETS: dict[str, ModelConfig] = {
    "edge": ModelConfig(),
    # The configuration of the original project, AndromedaOMA/Speech_Recognition.
    "base": ModelConfig(
        n_mels=128,
        hop_length=200,
        time_stride=1,
        mel_stride=1,
        rnn_dim=512,
        gru_hidden=512,
        gru_layers=5,
    ),
}


def preset(name: str) -> ModelConfig:
    """The named preset; ``ConfigError`` lists the names when there is no such one."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"unknown preset '{name}'; choose from: {', '.join(PRESETS)}") from None
