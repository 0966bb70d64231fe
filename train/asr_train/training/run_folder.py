"""The folder of a run: its checkpoints and where the run stands.

``last`` is what a run resumes from, ``best`` the one with the lowest dev word error rate, and
``epoch-01``, ``epoch-02``, … are the few best ones, to be averaged.
``config.toml`` has the settings of the run, see ``recipe``.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr_runtime.standard_streams import one_line
from asr_train.checkpoints.checkpoint import (
    checkpoint_exists,
    load_checkpoint,
    load_optimizer_state,
    save_checkpoint,
)
from asr_train.data.manifest import Utterance
from asr_train.errors import CheckpointError, OutputError
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.training.config import TrainingConfig
from asr_train.training.recipe import RUN_RECIPE, changed_settings, write_recipe

#: Folders of single epochs are called so, with their number.
EPOCH = "epoch-"


@dataclass
class Progress:
    """Where a run stands; all of it is in the ``last`` checkpoint.

    Attributes:
        step: optimiser steps taken.
        epoch: epochs finished.
        nll: summed loss of the current epoch so far.
        characters: of the current epoch so far.
        best: dev word and character error rate of the ``best`` checkpoint.
        seconds: trained so far, where the clock ends the run.
    """

    step: int = 0
    epoch: int = 0
    nll: float = 0.0
    characters: int = 0
    best: tuple[float, float] | None = None
    seconds: float = 0.0


class RunFolder:
    """Saves and restores one run; refuses to mix it up with another."""

    def __init__(self, folder: Path, train: Sequence[Utterance]) -> None:
        self._folder = folder
        self._last, self._best = folder / "last", folder / "best"
        self._data = {
            "data": _digest(train),
            "train_hours": sum(row.duration for row in train) / 3600,
            "train_utterances": len(train),
        }

    def prepare(self, *, resume: bool) -> None:
        """Find out before training whether the folder will do.

        Raises:
            CheckpointError: nothing to resume.
            OutputError: it holds a run that would be overwritten, or cannot be written.
        """
        if resume and not checkpoint_exists(self._last):
            raise CheckpointError(f"nothing to resume: {self._last} is not a checkpoint")
        if not resume and checkpoint_exists(self._last):
            raise OutputError(
                f"{self._folder} already holds a run; go on with --resume or give another --out"
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OutputError(f"cannot write to {self._folder}: {error.strerror}") from None

    def write_settings(self, model: ModelConfig, training: TrainingConfig) -> None:
        """Write the run's settings as a recipe, and say on stderr what a resumed run changes.

        Raises:
            OutputError: the file cannot be written.
        """
        path = self._folder / RUN_RECIPE
        for line in changed_settings(path, model, training):
            print(one_line(f"{self._folder}: {line}"), file=sys.stderr)
        write_recipe(path, model, training)

    def save_last(
        self,
        model: ResCNNBiGRU,
        progress: Progress,
        optimizer_state: dict[str, Any],
        figures: Mapping[str, float] | None = None,
    ) -> None:
        """Write what ``restore`` goes on from; ``figures`` are kept with it."""
        description = self._describe(progress, figures or {})
        save_checkpoint(self._last, model, description, optimizer_state)

    def save_best(
        self, model: ResCNNBiGRU, progress: Progress, figures: Mapping[str, float]
    ) -> None:
        """Write the weights to use."""
        save_checkpoint(self._best, model, self._describe(progress, figures))

    def save_epoch(
        self, model: ResCNNBiGRU, progress: Progress, figures: Mapping[str, float], keep: int
    ) -> None:
        """Write the weights of an epoch, and remove all but the ``keep`` best ones by dev words."""
        if not keep:
            return
        name = f"{EPOCH}{progress.epoch:02d}"
        save_checkpoint(self._folder / name, model, self._describe(progress, figures))
        scored = sorted(
            (_word_error_rate(folder), folder)
            for folder in self._folder.glob(f"{EPOCH}*")
            if checkpoint_exists(folder)
        )
        for _, folder in scored[keep:]:
            shutil.rmtree(folder, ignore_errors=True)

    def restore(self, config: ModelConfig) -> tuple[ResCNNBiGRU, Progress, dict[str, Any]]:
        """Model, progress and optimiser state of the ``last`` checkpoint.

        Raises:
            CheckpointError: it is damaged, or was trained with another configuration or on other
                data than is asked for now.
        """
        checkpoint = load_checkpoint(self._last)
        state = checkpoint.progress
        if checkpoint.model.config != config:
            raise CheckpointError(
                f"{self._last} has another model configuration than was asked for; "
                "give the options of the first run, or another --out"
            )
        if state.get("data") != self._data["data"]:
            raise CheckpointError(
                f"{self._last} was trained on other data than was given now; "
                "give the manifests of the first run, or start anew with --init and another --out"
            )
        try:
            progress = Progress(
                step=state["step"],
                epoch=state["epoch"],
                nll=state["nll"],
                characters=state["characters"],
                best=tuple(state["best"]) if state["best"] else None,
                seconds=state.get("seconds", 0.0),
            )
        except KeyError as error:
            raise CheckpointError(f"{self._last} cannot be resumed: it lacks {error}") from None
        return checkpoint.model, progress, load_optimizer_state(self._last)

    def _describe(self, progress: Progress, figures: Mapping[str, float]) -> dict[str, Any]:
        return {**figures, **asdict(progress), **self._data}


def _word_error_rate(folder: Path) -> float:
    return float(load_checkpoint(folder).progress.get("word_error_rate", math.inf))


def _digest(utterances: Sequence[Utterance]) -> str:
    digest = hashlib.sha256()
    for row in utterances:
        digest.update(f"{row.audio.name}\0{row.duration}\0{row.text}\n".encode())
    return digest.hexdigest()
