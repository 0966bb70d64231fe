"""The mean of several checkpoints' weights, often better than any of them.

Stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407), over the best epochs of a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.errors import CheckpointError
from asr_train.model.network import ResCNNBiGRU


def average_checkpoints(folders: Sequence[Path]) -> tuple[ResCNNBiGRU, dict[str, Any]]:
    """The averaged model, and the latest checkpoint's description without its scores.

    Raises:
        CheckpointError: no folder, an unusable one, or models of different configuration.
    """
    if not folders:
        raise CheckpointError("nothing to average: give one or more checkpoint folders")
    checkpoints = [load_checkpoint(folder) for folder in folders]
    first = checkpoints[0].model
    for folder, checkpoint in zip(folders, checkpoints, strict=True):
        if checkpoint.model.config != first.config:
            raise CheckpointError(
                f"{folder} and {folders[0]} have different model configurations; "
                "average checkpoints of one run"
            )
    states = [checkpoint.model.state_dict() for checkpoint in checkpoints]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
        for name, value in states[0].items()
    }
    first.load_state_dict(mean)
    latest = max(checkpoints, key=lambda checkpoint: int(checkpoint.progress.get("step", 0)))
    scores = {"dev_loss", "word_error_rate", "character_error_rate", "best", "train_loss"}
    description = {key: value for key, value in latest.progress.items() if key not in scores}
    return first, {**description, "averaged": [folder.name for folder in folders]}
