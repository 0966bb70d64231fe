"""The front end equals torchaudio's and ignores padding."""

from __future__ import annotations

import pytest
import torch
import torchaudio

from asr_train.model.config import PRESETS, ModelConfig
from asr_train.model.features import LOG_OFFSET, LogMelFrontEnd


@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
@pytest.mark.parametrize("preset", ["edge", "base"])
def test_equals_torchaudio_mel_spectrogram(preset: str) -> None:
    config = PRESETS[preset]
    reference = torchaudio.transforms.MelSpectrogram(
        16_000,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        center=True,
        pad_mode="constant",
    )
    torch.manual_seed(0)
    samples = torch.randn(3, 16_123) * torch.tensor([[1e-4], [0.1], [0.9]])
    lengths = torch.full((3,), 16_123)
    found = LogMelFrontEnd(config).log_mel(samples, lengths)
    # In float64: torchaudio's own rounding is as large as ours and differs between processors.
    wanted = torch.log(reference.double()(samples.double()) + LOG_OFFSET).float()
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=0)
    assert (found - wanted).abs().mean() < 2e-6


def test_padding_and_its_content_change_nothing(tiny_config: ModelConfig) -> None:
    front_end = LogMelFrontEnd(tiny_config)
    torch.manual_seed(0)
    samples = torch.randn(1, 4_000)
    alone, frames = front_end(samples, torch.tensor([4_000]))
    padded = torch.cat([samples, torch.full((1, 3_000), 9.0)], dim=1)
    batched, batched_frames = front_end(padded, torch.tensor([4_000]))
    assert frames.tolist() == batched_frames.tolist() == [4_000 // 160 + 1]
    torch.testing.assert_close(batched[:, :, : alone.shape[2]], alone)
    assert batched[:, :, alone.shape[2] :].abs().max() == 0


def test_digital_silence_is_finite_and_normalised(tiny_config: ModelConfig) -> None:
    front_end = LogMelFrontEnd(tiny_config)
    front_end.mean.fill_(-3.0)
    front_end.std.fill_(2.0)
    features, _ = front_end(torch.zeros(1, 1_600), torch.tensor([1_600]))
    expected = (torch.log(torch.tensor(LOG_OFFSET)) + 3.0) / 2.0
    torch.testing.assert_close(features, expected.expand_as(features))
