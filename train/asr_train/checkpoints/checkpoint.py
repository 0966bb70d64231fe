"""Checkpoints: weights as safetensors, configuration as JSON, optimiser state for resuming.

A checkpoint is a folder:

    model.safetensors   weights and feature statistics
    config.json         format version, model configuration, vocabulary, training progress
    optimizer.pt        optimiser state (``last`` only; loaded without unpickling code)
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import pickle
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from asr_train.errors import CheckpointError, ConfigError, OutputError
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.model.vocabulary import VOCABULARY

FORMAT_VERSION = 1
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
OPTIMIZER = "optimizer.pt"


@dataclass
class Checkpoint:
    """A model and how far it was trained.

    Attributes:
        model: the network, on the CPU.
        progress: JSON values such as ``step``, ``epoch``, ``word_error_rate``, ``data``.
        sha256: digest of the weights file, hex.
    """

    model: ResCNNBiGRU
    progress: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""


def save_checkpoint(
    folder: Path,
    model: ResCNNBiGRU,
    progress: dict[str, Any],
    optimizer_state: dict[str, Any] | None = None,
    *,
    half: bool = False,
) -> None:
    """Write a checkpoint so that ``folder`` is always a whole one, the old or the new.

    Args:
        folder: where to.
        model: weights and configuration.
        progress: JSON values.
        optimizer_state: for ``load_optimizer_state``.
        half: store as float16 the weights that lose nothing by it.

    Raises:
        OutputError: the folder cannot be written; the old checkpoint is untouched.
    """
    fresh, old = _beside(folder, ".new"), _beside(folder, ".old")
    config = {
        "format_version": FORMAT_VERSION,
        "model": model.config.to_dict(),
        "vocabulary": list(VOCABULARY),
        "training": progress,
    }
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    if half:
        weights = {name: _half_if_equal(value) for name, value in weights.items()}
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        # Not save_file: that makes a file which only its owner may read, whatever the umask.
        (fresh / WEIGHTS).write_bytes(safetensors.torch.save(weights))
        (fresh / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        if optimizer_state is not None:
            torch.save(optimizer_state, fresh / OPTIMIZER)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise OutputError(f"cannot write the checkpoint {folder}: {error}") from error


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read weights and configuration.

    Raises:
        CheckpointError: not a checkpoint, a newer format, damaged, or weights that are missing,
            left over or of another shape than the configuration asks for.
    """
    folder = _recover(folder)
    config_path, weights_path = folder / CONFIG, folder / WEIGHTS
    for path in (config_path, weights_path):
        if not path.is_file():
            raise CheckpointError(
                f"{folder} is not a checkpoint: {path.name} is missing; "
                "give the folder that asr-train wrote, such as runs/edge/best"
            )
    try:
        document = json.loads(config_path.read_text(encoding="utf-8"))
        version, model_values = document["format_version"], document["model"]
        vocabulary, progress = document["vocabulary"], dict(document["training"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{config_path}: damaged checkpoint configuration: {error}") from None
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{folder}: checkpoint format {version}, this version reads {FORMAT_VERSION}; upgrade"
        )
    if tuple(vocabulary) != VOCABULARY:
        raise CheckpointError(f"{config_path}: another vocabulary than this toolkit's")
    try:
        model = ResCNNBiGRU(ModelConfig.from_dict(model_values))
    except ConfigError as error:
        raise CheckpointError(f"{config_path}: {error}") from None
    try:
        weights = safetensors.torch.load_file(weights_path)
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{weights_path}: damaged weights file: {error}") from None
    _check_weights(weights_path, weights, model.state_dict())
    model.load_state_dict(weights)
    return Checkpoint(model.eval(), progress, hashlib.sha256(weights_path.read_bytes()).hexdigest())


def load_optimizer_state(folder: Path) -> dict[str, Any]:
    """Optimiser state for resuming; ``CheckpointError`` when there is none or it is damaged."""
    path = _recover(folder) / OPTIMIZER
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: only the 'last' checkpoint can be resumed")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: damaged optimiser state: {error}") from None
    return state


def checkpoint_exists(folder: Path) -> bool:
    """Whether ``load_checkpoint`` would find something there."""
    return (_recover(folder) / CONFIG).is_file()


def _half_if_equal(weight: Tensor) -> Tensor:
    half = weight.half()
    return half if torch.equal(half.float(), weight) else weight


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(folder.name + suffix)


def _recover(folder: Path) -> Path:
    """Undo a save that was killed between its two renames."""
    old = _beside(folder, ".old")
    if not folder.exists() and old.is_dir():
        with contextlib.suppress(OSError):  # another process of the same run may be first
            old.rename(folder)
    return folder


def _check_weights(path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    if missing or extra:
        count, names, what = (
            (len(missing), missing, "missing") if missing else (len(extra), extra, "unknown")
        )
        raise CheckpointError(
            f"{path}: {count} weight(s) {what}, e.g. '{names[0]}'; "
            "the file does not belong to its config.json"
        )
    for name, value in wanted.items():
        if found[name].shape != value.shape:
            raise CheckpointError(
                f"{path}: '{name}' has shape {list(found[name].shape)}, "
                f"its config.json asks for {list(value.shape)}"
            )
