"""Formants move up or down, the rest stays."""

import torch

from asr_train.augmentation.vocal_tract import stretch_bands

BANDS = 80


def _centre(features: torch.Tensor) -> torch.Tensor:
    bands = torch.arange(features.shape[1], dtype=torch.float32)
    return (features[:, :, 0] * bands).sum(1) / features[:, :, 0].sum(1)


def test_a_formant_moves_by_its_factor() -> None:
    features = torch.zeros(3, BANDS, 2)
    features[:, 30] = 1.0
    low, same, high = _centre(stretch_bands(features, torch.tensor([0.9, 1.0, 1.1])))
    top = 2595.0 * torch.log10(torch.tensor(1 + 8000 / 700))

    def band(hertz: torch.Tensor) -> torch.Tensor:
        return 2595.0 * torch.log10(1 + hertz / 700) / top * (BANDS + 1) - 1

    frequency = 700 * (10 ** (31 * top / (BANDS + 1) / 2595) - 1)
    torch.testing.assert_close(same, torch.tensor(30.0))
    torch.testing.assert_close(high, band(1.1 * frequency), atol=0.3, rtol=0)
    torch.testing.assert_close(low, band(0.9 * frequency), atol=0.3, rtol=0)


def test_a_factor_of_one_changes_nothing() -> None:
    features = torch.randn(2, BANDS, 7)
    torch.testing.assert_close(stretch_bands(features, torch.ones(2)), features, atol=1e-3, rtol=0)


def test_even_spectra_stay_even() -> None:
    stretched = stretch_bands(torch.ones(4, BANDS, 3), torch.tensor([0.8, 0.95, 1.05, 1.2]))
    torch.testing.assert_close(stretched, torch.ones(4, BANDS, 3))
