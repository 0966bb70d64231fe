"""The mean of checkpoints, and the epochs that a run keeps for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from asr_train.checkpoints.averaging import average_checkpoints
from asr_train.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from asr_train.data.manifest import Utterance, read_manifest
from asr_train.errors import CheckpointError
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.training.run_folder import Progress, RunFolder


def _save(folder: Path, config: ModelConfig, value: float, step: int) -> Path:
    model = ResCNNBiGRU(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(value)
    save_checkpoint(folder, model, {"step": step, "word_error_rate": 0.5, "train_hours": 3.0})
    return folder


def test_the_mean_of_the_weights(tiny_config: ModelConfig, tmp_path: Path) -> None:
    folders = [_save(tmp_path / str(v), tiny_config, v, step=int(10 * v)) for v in (1.0, 5.0, 3.0)]
    model, description = average_checkpoints(folders)
    assert all((weight == 3.0).all() for weight in model.parameters())
    assert description["step"] == 50
    assert description["train_hours"] == 3.0
    assert description["averaged"] == ["1.0", "5.0", "3.0"]
    assert "word_error_rate" not in description, "a score of one of them is not the mean's"


def test_different_models_are_refused(tiny_config: ModelConfig, tmp_path: Path) -> None:
    other = ModelConfig(**{**tiny_config.to_dict(), "gru_hidden": 16})
    folders = [_save(tmp_path / "a", tiny_config, 1.0, 1), _save(tmp_path / "b", other, 1.0, 1)]
    with pytest.raises(CheckpointError, match="different model configurations"):
        average_checkpoints(folders)
    with pytest.raises(CheckpointError, match="nothing to average"):
        average_checkpoints([])


def test_a_run_keeps_its_best_epochs(
    tiny_config: ModelConfig, write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    rows: list[Utterance] = read_manifest(write_manifest(["cab"]))
    folder = RunFolder(tmp_path / "run", rows)
    model = ResCNNBiGRU(tiny_config)
    for epoch, rate in enumerate([0.9, 0.5, 0.7, 0.6], start=1):
        folder.save_epoch(model, Progress(epoch=epoch), {"word_error_rate": rate}, keep=2)
    kept = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert kept == ["epoch-02", "epoch-04"]
    assert load_checkpoint(tmp_path / "run" / "epoch-02").progress["word_error_rate"] == 0.5
    folder.save_epoch(model, Progress(epoch=5), {"word_error_rate": 0.1}, keep=0)
    assert len(list((tmp_path / "run").iterdir())) == 2
