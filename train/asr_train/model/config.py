"""Model configuration: the two presets, overrides from the command line, and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from asr_runtime.model_file import contract
from asr_train.errors import ConfigError

SAMPLE_RATE = contract.SAMPLE_RATE
"""Samples a second, the model contract's only rate."""


@dataclass(frozen=True)
class ModelConfig:
    """Every number that fixes the shape of a ResCNN-BiGRU and its mel front end.

    Attributes:
        n_mels: mel bands.
        n_fft: samples a DFT window (also the Hann window's length).
        hop_length: samples between mel frames.
        channels: channels of every convolution.
        residual_blocks: residual blocks after the first convolution.
        time_stride: mel frames a network frame (stride of the first convolution in time).
        mel_stride: mel bands merged by the first convolution (its stride in frequency).
        rnn_dim: width of the linear layer that feeds the GRU, and of the classifier's hidden layer.
        gru_hidden: hidden units of each direction.
        gru_layers: bidirectional GRU layers.
        dropout: probability, in every block.
        phonemes: what a second head tells apart, its blank not counted; 0 for no such head.
    """

    n_mels: int = 80
    n_fft: int = 400
    hop_length: int = 160
    channels: int = 32
    residual_blocks: int = 3
    time_stride: int = 3
    mel_stride: int = 2
    rnn_dim: int = 256
    gru_hidden: int = 256
    gru_layers: int = 3
    dropout: float = 0.1
    phonemes: int = 0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "dropout":
                if not 0.0 <= value < 1.0:
                    raise ConfigError(f"dropout must be in [0, 1), not {value}")
            elif field.name in ("residual_blocks", "phonemes"):
                if value < 0:
                    raise ConfigError(f"{field.name} must be 0 or more, not {value}")
            elif value < 1:
                raise ConfigError(f"{field.name} must be 1 or more, not {value}")
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
        """From JSON values; ``ConfigError`` on unknown fields or wrong types."""
        types = get_type_hints(cls)
        for name, value in values.items():
            if name not in types:
                raise _unknown_field(name)
            fits = isinstance(value, (int, float) if types[name] is float else int)
            if not fits or isinstance(value, bool):
                raise ConfigError(f"{name} must be {types[name].__name__}, not {value!r}")
        return cls(**values)

    def override(self, assignments: Iterable[str]) -> ModelConfig:
        """A copy with ``field=value`` strings applied; ``ConfigError`` names what is wrong."""
        types = get_type_hints(type(self))
        changes: dict[str, Any] = {}
        for assignment in assignments:
            name, separator, text = assignment.partition("=")
            if not separator:
                raise ConfigError(f"'{assignment}' is not of the form field=value")
            if name not in types:
                raise _unknown_field(name)
            try:
                changes[name] = types[name](text)
            except ValueError:
                raise ConfigError(f"{name} must be {types[name].__name__}, not '{text}'") from None
        return dataclasses.replace(self, **changes)


def _unknown_field(name: str) -> ConfigError:
    known = ", ".join(field.name for field in dataclasses.fields(ModelConfig))
    return ConfigError(f"unknown model field '{name}'; the fields are: {known}")


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
