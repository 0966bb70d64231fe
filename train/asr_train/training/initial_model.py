"""The network that a run begins with: random weights, or those of another checkpoint."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import torch

from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.data.audio_store import AudioStore
from asr_train.errors import CheckpointError
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU

#: Utterances whose features are looked at for their mean and deviation.
SAMPLE_SIZE = 500


def random_model(config: ModelConfig, count: int, store: AudioStore, seed: int) -> ResCNNBiGRU:
    """A network with random weights and the feature statistics of the training audio.

    Args:
        config: its shape.
        count: number of utterances in ``store``.
        store: training audio.
        seed: of the weights, and of the sample that the statistics are taken from.
    """
    torch.manual_seed(seed)
    model = ResCNNBiGRU(config)
    set_feature_statistics(model, count, store, seed)
    return model


def given_model(config: ModelConfig, folder: Path, seed: int) -> ResCNNBiGRU:
    """A network that begins from a checkpoint's weights and feature statistics.

    Args:
        config: its shape, which must be the checkpoint's. Dropout shapes no weight and may differ,
            and a phoneme head that the checkpoint lacks is added untrained.
        folder: the checkpoint.
        seed: of the weights of an added head.

    Raises:
        CheckpointError: an unusable checkpoint, or one of another shape.
    """
    given = load_checkpoint(folder).model
    given_config = replace(given.config, dropout=config.dropout)
    if given.config.phonemes == 0:
        given_config = replace(given_config, phonemes=config.phonemes)
    if given_config != config:
        raise CheckpointError(
            f"{folder} has another model configuration than was asked for; "
            "give its --preset and --set options, or its [model] table"
        )
    torch.manual_seed(seed)
    model = ResCNNBiGRU(config)
    model.load_state_dict({**model.state_dict(), **given.state_dict()})
    return model


def set_feature_statistics(model: ResCNNBiGRU, count: int, store: AudioStore, seed: int) -> None:
    """Set mean and deviation of every mel band from a random sample of utterances.

    Not per utterance: that would rule out streaming and make a result depend on the whole file.

    Args:
        model: its front end is changed in place.
        count: number of utterances in ``store``.
        store: training audio.
        seed: of the sample.
    """
    front_end = model.front_end
    collected = []
    for index in random.Random(seed).sample(range(count), min(SAMPLE_SIZE, count)):
        samples = torch.from_numpy(store[index])[None]
        collected.append(front_end.log_mel(samples, torch.tensor([samples.shape[1]]))[0])
    frames = torch.cat(collected, dim=1).double()
    front_end.mean.copy_(frames.mean(dim=1))
    front_end.std.copy_(frames.std(dim=1).clamp(min=1e-3))
