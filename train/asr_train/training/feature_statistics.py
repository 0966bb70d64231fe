"""The fixed mean and deviation that features are normalised with."""

from __future__ import annotations

import random

import torch

from asr_train.data.audio_store import AudioStore
from asr_train.model.network import ResCNNBiGRU

#: Utterances that are looked at.
SAMPLE_SIZE = 500


def set_feature_statistics(model: ResCNNBiGRU, count: int, store: AudioStore, seed: int) -> None:
    """Set mean and deviation of every mel band from a random sample of ``store``'s ``count`` items.

    Not per utterance: that would rule out streaming and make a result depend on the whole file.
    """
    front_end = model.front_end
    collected = []
    for index in random.Random(seed).sample(range(count), min(SAMPLE_SIZE, count)):
        samples = torch.from_numpy(store[index])[None]
        collected.append(front_end.log_mel(samples, torch.tensor([samples.shape[1]]))[0])
    frames = torch.cat(collected, dim=1).double()
    front_end.mean.copy_(frames.mean(dim=1))
    front_end.std.copy_(frames.std(dim=1).clamp(min=1e-3))
