"""Checkpoints are whole or refused, and name what is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from asr_train.checkpoints.checkpoint import (
    CONFIG,
    OPTIMIZER,
    WEIGHTS,
    Checkpoint,
    load_checkpoint,
    load_optimizer_state,
    save_checkpoint,
)
from asr_train.errors import CheckpointError, OutputError


@pytest.fixture
def copy(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


def test_round_trip(loaded: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a", loaded.model, {"step": 9}, {"state": torch.ones(2)})
    again = load_checkpoint(tmp_path / "a")
    assert again.model.config == loaded.model.config
    assert again.progress == {"step": 9}
    for name, value in loaded.model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], value)
    assert torch.equal(load_optimizer_state(tmp_path / "a")["state"], torch.ones(2))
    assert {path.name for path in tmp_path.iterdir()} == {"a"}


def test_a_save_killed_between_its_renames_loses_nothing(copy: Path) -> None:
    copy.rename(copy.with_name("copy.old"))
    assert load_checkpoint(copy).progress["step"] == 3


def test_an_unwritable_place_leaves_the_old_checkpoint(loaded: Checkpoint, copy: Path) -> None:
    (copy.parent / "copy.new").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write the checkpoint"):
        save_checkpoint(copy, loaded.model, {"step": 100})
    assert load_checkpoint(copy).progress["step"] == 3


def _edit_weights(folder: Path, name: str, value: torch.Tensor | None) -> None:
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    del weights[name]
    if value is not None:
        weights[name] = value
    safetensors.torch.save_file(weights, folder / WEIGHTS)


def test_missing_weights_are_named(copy: Path) -> None:
    _edit_weights(copy, "conv.bias", None)
    with pytest.raises(CheckpointError, match=r"1 weight\(s\) missing, e\.g\. 'conv\.bias'"):
        load_checkpoint(copy)


def test_misshapen_weights_are_named(copy: Path) -> None:
    _edit_weights(copy, "conv.bias", torch.zeros(5))
    with pytest.raises(CheckpointError, match=r"'conv\.bias' has shape \[5\].*asks for \[4\]"):
        load_checkpoint(copy)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_an_incomplete_folder_is_no_checkpoint(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(CheckpointError, match=f"is not a checkpoint: {name} is missing"):
        load_checkpoint(copy)


def test_damaged_files_are_refused(copy: Path) -> None:
    (copy / WEIGHTS).write_bytes(b"\x00" * 100)
    with pytest.raises(CheckpointError, match="damaged weights file"):
        load_checkpoint(copy)
    (copy / CONFIG).write_text("{")
    with pytest.raises(CheckpointError, match="damaged checkpoint configuration"):
        load_checkpoint(copy)


def test_unknown_fields_and_newer_formats_are_refused(copy: Path) -> None:
    document = json.loads((copy / CONFIG).read_text())
    document["model"]["attention"] = True
    (copy / CONFIG).write_text(json.dumps(document))
    with pytest.raises(CheckpointError, match="unknown model field 'attention'"):
        load_checkpoint(copy)
    document["format_version"] = 2
    (copy / CONFIG).write_text(json.dumps(document))
    with pytest.raises(CheckpointError, match="checkpoint format 2, this version reads 1"):
        load_checkpoint(copy)


def test_optimiser_state_is_never_unpickled_as_code(copy: Path, tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "harmed"),))

    torch.save({"state": Harm()}, copy / OPTIMIZER)
    with pytest.raises(CheckpointError, match="damaged optimiser state"):
        load_optimizer_state(copy)
    assert not (tmp_path / "harmed").exists()
