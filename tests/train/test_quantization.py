"""Weights rounded for a small file: after training, and at every step of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from asr_train.augmentation.config import MaskingConfig
from asr_train.checkpoints.checkpoint import WEIGHTS, Checkpoint, load_checkpoint
from asr_train.checkpoints.int8_grid import find_rows
from asr_train.checkpoints.quantization import (
    quantize_checkpoint,
    quantize_weights,
    quantized_weights,
)
from asr_train.data.manifest import read_manifest
from asr_train.errors import CheckpointError
from asr_train.model.config import ModelConfig, WeightQuantization
from asr_train.training.config import Device, MixedPrecision, TrainingConfig
from asr_train.training.trainer import Trainer


@pytest.mark.parametrize("rounding", [WeightQuantization.fp16, WeightQuantization.int8])
def test_compact_halves_the_file_and_barely_moves_the_weights(
    tiny_checkpoint: Path, loaded: Checkpoint, tmp_path: Path, rounding: WeightQuantization
) -> None:
    quantize_checkpoint(tiny_checkpoint, tmp_path / "half", rounding)
    size = (tmp_path / "half" / WEIGHTS).stat().st_size
    assert size < 0.6 * (tiny_checkpoint / WEIGHTS).stat().st_size
    half = load_checkpoint(tmp_path / "half")
    assert half.progress == loaded.progress
    for name, value in loaded.model.state_dict().items():
        found = half.model.state_dict()[name]
        assert found.dtype == torch.float32
        bound = 1e-3 if rounding is WeightQuantization.fp16 else 5e-3 * float(value.abs().max())
        torch.testing.assert_close(found, value, atol=bound, rtol=1e-3)


def test_an_int8_checkpoint_loses_nothing_in_any_precision(loaded: Checkpoint) -> None:
    quantize_weights(loaded.model, WeightQuantization.int8)
    for rounding in WeightQuantization:
        again = copy.deepcopy(loaded.model)
        quantize_weights(again, rounding)
        for name, value in loaded.model.state_dict().items():
            assert torch.equal(again.state_dict()[name], value), (rounding, name)


def test_weights_are_their_own_again_after_the_block(loaded: Checkpoint) -> None:
    before = copy.deepcopy(loaded.model.state_dict())
    with quantized_weights(loaded.model, WeightQuantization.int8):
        weight = loaded.model.projection.weight
        assert not torch.equal(weight, before["projection.weight"])
        assert find_rows(weight.detach()) is not None
    for name, value in loaded.model.state_dict().items():
        assert torch.equal(value, before[name])


def test_weights_too_large_for_float16_are_refused(loaded: Checkpoint) -> None:
    with torch.no_grad():
        loaded.model.projection.weight[0, 0] = 1e5
    with pytest.raises(CheckpointError, match=r"projection\.weight.*float16 cannot hold"):
        quantize_weights(loaded.model, WeightQuantization.int8)


def test_a_run_keeps_quantized_weights_and_goes_on_from_fine_ones(
    tiny_config: ModelConfig, write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    rows = read_manifest(write_manifest(["cab", "bead", "face", "deaf"]))
    config = TrainingConfig(
        out=tmp_path / "run",
        epochs=2,
        batch_seconds=6.0,
        learning_rate=1e-4,
        precision=MixedPrecision.fp32,
        device=Device.cpu,
        workers=0,
        masking=MaskingConfig(freq_mask=0, time_mask=0),
        quantize_weights=WeightQuantization.int8,
    )
    Trainer(tiny_config, config, rows, rows).fit()
    kept = {
        name: load_checkpoint(tmp_path / "run" / name).model.projection.weight.detach()
        for name in ("best", "last")
    }
    on_grid = {name: find_rows(weight) is not None for name, weight in kept.items()}
    # Steps are far smaller than the grid's: rounded for good, training would stand still.
    assert on_grid == {"best": True, "last": False}
