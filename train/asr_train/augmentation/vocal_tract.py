"""Vocal-tract-length perturbation: the same words from a longer or shorter throat.

N. Jaitly, G. Hinton, "Vocal tract length perturbation (VTLP) improves speech recognition", ICML
workshop on deep learning for audio, speech and language processing, 2013. Frequencies are stretched
by a factor that is drawn for each utterance; here by interpolating between mel bands, so that it
costs one small product and needs no second transform.
"""

from __future__ import annotations

import torch
from torch import Tensor

from asr_train.model.config import SAMPLE_RATE

#: Hz up to which frequencies are stretched evenly; from there to the top they make up for it.
_BOUNDARY = 4800.0


def stretch_bands(features: Tensor, factors: Tensor) -> Tensor:
    """Features whose formants lie ``factors`` times as high.

    Args:
        features: [batch, n_mels, frames], normalised log-mel energies of bands that are even on the
            HTK mel scale from 0 Hz to half the sample rate.
        factors: float32 [batch], such as 0.9 to 1.1.
    """
    bands = features.shape[1]
    top = SAMPLE_RATE / 2
    steps = _mel(torch.tensor(top, device=features.device)) / (bands + 1)
    centres = _hertz(steps * torch.arange(1, bands + 1, device=features.device))
    # Where each band's content comes from.
    factor = 1 / factors[:, None]
    bend = _BOUNDARY * factor.clamp(max=1.0) / factor
    bent = factor * bend
    above = top - (top - bent) / (top - bend) * (top - centres)
    source = torch.where(centres <= bend, factor * centres, above)
    place = (_mel(source) / steps - 1).clamp(0, bands - 1)
    low = place.floor().clamp(max=bands - 2)
    share = place - low
    weights = torch.zeros(len(factors), bands, bands, device=features.device)
    weights.scatter_(2, low.long().unsqueeze(2), (1 - share).unsqueeze(2))
    weights.scatter_add_(2, low.long().unsqueeze(2) + 1, share.unsqueeze(2))
    return weights.to(features.dtype) @ features


def _mel(hertz: Tensor) -> Tensor:
    return 2595.0 * torch.log10(1.0 + hertz / 700.0)


def _hertz(mel: Tensor) -> Tensor:
    result: Tensor = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return result
