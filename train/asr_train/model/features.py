"""The log-mel front end as a module that trains, exports and runs the same on every device."""

from __future__ import annotations

import math
import warnings

import torch
import torchaudio.functional
from torch import Tensor, nn
from torch.nn import functional

from asr_train.model.config import SAMPLE_RATE, ModelConfig

#: Added to the mel power before the logarithm: about -85 dBFS of white noise, so that digital
#: silence and faint hiss look alike and no arithmetic difference is blown up.
LOG_OFFSET = 1e-6


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Boolean [batch, size]: True where the position is inside the sequence."""
    return torch.arange(size, device=lengths.device)[None, :] < lengths[:, None]


class LogMelFrontEnd(nn.Module):
    """Waveform to normalised log-mel spectrogram.

    Equal to ``torchaudio.transforms.MelSpectrogram(center=True, pad_mode="constant")`` followed by
    ``log(x + LOG_OFFSET)`` and ``(x - mean) / std``. The DFT is a ``Conv1d`` with fixed weights:
    it is the form that ONNX Runtime computes fastest and that gradients, autocast and dynamic
    shapes have no trouble with.

    Samples past an utterance's length are treated as zeros, frames past its length are zero, so
    that the result does not depend on padding.
    """

    window_dft: Tensor
    mel_filters: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.hop_length = config.hop_length
        self.n_fft = config.n_fft
        bins = config.n_fft // 2 + 1
        window = torch.hann_window(config.n_fft, periodic=True, dtype=torch.float64)
        time = torch.arange(config.n_fft, dtype=torch.float64)
        angle = 2 * math.pi / config.n_fft * torch.outer(torch.arange(bins).double(), time)
        dft = torch.cat([torch.cos(angle) * window, -torch.sin(angle) * window])
        with warnings.catch_warnings():
            # The base preset, as the original set it, has more low bands than the DFT resolves:
            # a few of its 128 stay empty, which torchaudio remarks on at every load.
            warnings.filterwarnings("ignore", message="At least one mel filterbank")
            mel = torchaudio.functional.melscale_fbanks(
                bins, 0.0, SAMPLE_RATE / 2, config.n_mels, SAMPLE_RATE, norm=None, mel_scale="htk"
            )
        # Not persistent: they follow from the configuration, a checkpoint need not hold them.
        self.register_buffer("window_dft", dft.float().unsqueeze(1), persistent=False)
        self.register_buffer("mel_filters", mel.T.contiguous().unsqueeze(2), persistent=False)
        self.register_buffer("mean", torch.zeros(config.n_mels))
        self.register_buffer("std", torch.ones(config.n_mels))

    def log_mel(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """Unnormalised log-mel energies [batch, n_mels, frames] of ``samples`` [batch, samples]."""
        samples = samples * length_mask(lengths, samples.shape[1])
        padded = functional.pad(samples, (self.n_fft // 2, self.n_fft // 2))
        spectrum = functional.conv1d(padded.unsqueeze(1), self.window_dft, stride=self.hop_length)
        real, imaginary = spectrum.chunk(2, dim=1)
        power = real * real + imaginary * imaginary
        return torch.log(functional.conv1d(power, self.mel_filters) + LOG_OFFSET)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features of a padded batch.

        Args:
            samples: float32 [batch, samples], 16 kHz, -1…1.
            lengths: int64 [batch], samples.

        Returns:
            float32 [batch, n_mels, frames] and int64 [batch] frames; frames past a length are 0.
        """
        # A logarithm of small powers does not survive bfloat16: stay in float32 under autocast.
        with torch.autocast(samples.device.type, enabled=False):
            features = self.log_mel(samples.float(), lengths)
            features = (features - self.mean[:, None]) / self.std[:, None]
            frame_lengths = lengths // self.hop_length + 1
            mask = length_mask(frame_lengths, features.shape[2])
            return features * mask[:, None, :], frame_lengths
