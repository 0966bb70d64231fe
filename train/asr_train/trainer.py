"""The training loop: CTC, AdamW, OneCycle; resumable at any step, on one process or several."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader
from tqdm import tqdm

from asr_train.audio_store import AudioStore, CachedStore, FileStore
from asr_train.batching import Batch, Collate, PadTo, UtteranceDataset, plan_epoch
from asr_train.checkpoint import (
    checkpoint_exists,
    load_checkpoint,
    load_optimizer_state,
    save_checkpoint,
)
from asr_train.config import SAMPLE_RATE, ModelConfig
from asr_train.errors import CheckpointError, DataError, OutputError, TrainingError
from asr_train.evaluation import Evaluation, evaluate
from asr_train.feature_statistics import set_feature_statistics
from asr_train.history import History
from asr_train.interruption import Interrupted, InterruptFlag, ignore_interrupts
from asr_train.manifest import Utterance
from asr_train.model import ResCNNBiGRU
from asr_train.objective import CTCObjective
from asr_train.training_config import Device, Precision, TrainingConfig

#: Consecutive steps with a NaN or infinite gradient after which a run is given up.
MAX_BAD_STEPS = 20


@dataclass
class _Progress:
    """Where a run stands; everything here is in the ``last`` checkpoint."""

    step: int = 0
    epoch: int = 0  # epochs finished
    nll: float = 0.0  # of the current epoch so far
    characters: int = 0  # of the current epoch so far
    best: tuple[float, float] | None = None  # dev WER and CER of the best checkpoint


class Trainer:
    """One training run; see ``fit``."""

    def __init__(
        self,
        model_config: ModelConfig,
        config: TrainingConfig,
        train: Sequence[Utterance],
        dev: Sequence[Utterance] = (),
    ) -> None:
        """``train`` and ``dev`` must have passed ``select``."""
        self.config = config
        self.model_config = model_config
        self._train, self._dev = train, dev
        self._last, self._best = config.out / "last", config.out / "best"
        self._accelerator = _accelerator(config)
        self._data_digest = _digest(train)
        self._longest = max(row.duration for row in itertools.chain(train, dev))
        self._plans = [self._plan(epoch) for epoch in range(config.epochs)]
        self._total_steps = sum(len(plan) for plan in self._plans)
        self._bad_steps = 0

    def fit(self, *, resume: bool = False, init: Path | None = None) -> None:
        """Train to the end of the last epoch.

        Args:
            resume: go on from the ``last`` checkpoint, exactly as if never stopped.
            init: start from the weights of this checkpoint.

        Raises:
            Interrupted: on Ctrl-C or SIGTERM, after writing ``last``.
            ToolkitError: unusable data, checkpoint or output folder.
        """
        main = self._accelerator.is_main_process
        if main:
            self._prepare_folder(resume)
        self._accelerator.wait_for_everyone()
        store = self._store(self._train)
        dev_store = self._store(self._dev)
        model, progress = self._start(store, resume, init)
        model.to(self._accelerator.device)
        optimizer = torch.optim.AdamW(
            model.parameters(), self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        if resume:
            optimizer.load_state_dict(load_optimizer_state(self._last))
        scheduler = self._schedule(optimizer, progress.step)
        objective = self._accelerator.prepare_model(CTCObjective(model, self.config.masking))
        history = History(self.config.out, progress.step) if main else None
        bar = tqdm(total=self._total_steps, initial=progress.step, unit="step", disable=not main)
        try:
            with InterruptFlag() as flag:
                for epoch in range(progress.epoch, self.config.epochs):
                    self._epoch(
                        epoch, objective, optimizer, scheduler, store, progress, history, bar, flag
                    )
                    self._finish_epoch(model, dev_store, optimizer, progress, history)
        finally:
            bar.close()
            if history is not None:
                history.close()

    def _epoch(
        self,
        epoch: int,
        objective: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: OneCycleLR,
        store: AudioStore,
        progress: _Progress,
        history: History | None,
        bar: tqdm[Any],
        flag: InterruptFlag,
    ) -> None:
        first = sum(len(plan) for plan in self._plans[:epoch])
        plan = self._plans[epoch][progress.step - first :]
        objective.train()
        started = time.monotonic()
        for batch, indices in zip(self._batches(plan, store), plan, strict=True):
            # Dropout and masks depend on the step alone: a resumed run draws the same ones.
            torch.manual_seed(self.config.seed * 1_000_003 + progress.step)
            characters = sum(len(self._train[index].text) for index in indices)
            nll, grad_norm = self._step(objective, optimizer, batch, characters)
            self._bad_steps = 0 if grad_norm.isfinite() else self._bad_steps + 1
            if self._bad_steps >= MAX_BAD_STEPS:
                raise TrainingError(
                    f"no finite gradient in {MAX_BAD_STEPS} steps: training has diverged; "
                    "start again with a lower --learning-rate"
                )
            learning_rate = float(scheduler.get_last_lr()[0])
            scheduler.step()
            progress.step += 1
            progress.nll += nll
            progress.characters += characters
            now = time.monotonic()
            seconds = sum(self._train[index].duration for index in indices)
            if history is not None:
                history.step(
                    {
                        "step": progress.step,
                        "epoch": epoch + 1,
                        "loss": nll / characters,
                        "learning_rate": learning_rate,
                        "grad_norm": float(grad_norm),
                        "audio_seconds_per_second": seconds / (now - started),
                    }
                )
            started = now
            bar.update()
            bar.set_postfix(epoch=epoch + 1, loss=f"{nll / characters:.3f}")
            if self._any_process(flag.requested):
                self._save(self._last, objective, optimizer, progress)
                raise Interrupted(f"stopped after step {progress.step} of {self._total_steps}")
            if progress.step % self.config.checkpoint_every == 0:
                self._save(self._last, objective, optimizer, progress)
        progress.epoch = epoch + 1

    def _step(
        self,
        objective: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        batch: Batch,
        characters: int,
    ) -> tuple[float, Tensor]:
        device = self._accelerator.device
        nll: Tensor = objective(
            batch.samples.to(device),
            batch.lengths.to(device),
            batch.targets.to(device),
            batch.target_lengths.to(device),
        )
        # Processes average their gradients; the loss is a mean over the characters of the whole
        # batch, so each one's share is scaled by their number: the result is that of one process.
        self._accelerator.backward(nll * (self._accelerator.num_processes / characters))
        grad_norm = torch.nn.utils.clip_grad_norm_(
            objective.parameters(), self.config.max_grad_norm
        )
        if grad_norm.isfinite():
            optimizer.step()
        optimizer.zero_grad()
        total: Tensor = self._accelerator.reduce(nll.detach(), "sum")
        return total.item(), grad_norm

    def _finish_epoch(
        self,
        model: ResCNNBiGRU,
        dev_store: AudioStore,
        optimizer: torch.optim.Optimizer,
        progress: _Progress,
        history: History | None,
    ) -> None:
        figures = {
            "step": progress.step,
            "epoch": progress.epoch,
            "train_loss": progress.nll / progress.characters,
        }
        progress.nll, progress.characters = 0.0, 0
        if history is not None:  # the main process
            evaluation = self._evaluate(model, dev_store, figures)
            rates = (
                (evaluation.rates.word_error_rate, evaluation.rates.character_error_rate)
                if evaluation
                else None
            )
            # Without dev data the latest is the best that is known.
            if rates is None or progress.best is None or rates <= progress.best:
                progress.best = rates
                save_checkpoint(self._best, model, self._describe(progress, figures))
            self._save(self._last, model, optimizer, progress, figures)
            history.epoch(figures)
            tqdm.write("  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
        self._accelerator.wait_for_everyone()

    def _evaluate(
        self, model: ResCNNBiGRU, dev_store: AudioStore, figures: dict[str, float]
    ) -> Evaluation | None:
        if not self._dev:
            return None
        evaluation = evaluate(model, self._dev, dev_store)
        figures["dev_loss"] = evaluation.loss
        figures["word_error_rate"] = evaluation.rates.word_error_rate
        figures["character_error_rate"] = evaluation.rates.character_error_rate
        return evaluation

    def _plan(self, epoch: int) -> list[list[int]]:
        return plan_epoch(
            [row.duration for row in self._train],
            self.config.batch_seconds,
            pad_to=self.config.pad_to,
            longest=self._longest,
            min_items=self._accelerator.num_processes,
            seed=self.config.seed * 1_000_003 + epoch,
        )

    def _batches(self, plan: Sequence[list[int]], store: AudioStore) -> Iterator[Batch]:
        rank, world = self._accelerator.process_index, self._accelerator.num_processes
        pad_to = None
        if self.config.pad_to is PadTo.max:
            pad_to = round(self._longest * SAMPLE_RATE)
        loader: DataLoader[Any] = DataLoader(
            UtteranceDataset([row.text for row in self._train], store),
            batch_sampler=[batch[rank::world] for batch in plan],
            collate_fn=Collate(pad_to),
            num_workers=self.config.workers,
            worker_init_fn=ignore_interrupts,
        )
        for batch in loader:
            if isinstance(batch, DataError):
                raise batch
            yield batch

    def _start(
        self, store: AudioStore, resume: bool, init: Path | None
    ) -> tuple[ResCNNBiGRU, _Progress]:
        if resume:
            return self._resume()
        if init is not None:
            model = load_checkpoint(init).model
            if model.config != self.model_config:
                raise CheckpointError(f"{init} has another model configuration than was asked for")
            return model, _Progress()
        torch.manual_seed(self.config.seed)
        model = ResCNNBiGRU(self.model_config)
        set_feature_statistics(model, len(self._train), store, self.config.seed)
        return model, _Progress()

    def _resume(self) -> tuple[ResCNNBiGRU, _Progress]:
        checkpoint = load_checkpoint(self._last)
        state = checkpoint.progress
        if checkpoint.model.config != self.model_config:
            raise CheckpointError(
                f"{self._last} has another model configuration than was asked for; "
                "give the options of the first run, or another --out"
            )
        if state.get("data") != self._data_digest:
            raise CheckpointError(
                f"{self._last} was trained on other data than was given now; "
                "give the manifests of the first run, or start anew with --init and another --out"
            )
        try:
            best = tuple(state["best"]) if state["best"] else None
            progress = _Progress(
                state["step"], state["epoch"], state["nll"], state["characters"], best
            )
        except KeyError as error:
            raise CheckpointError(f"{self._last} cannot be resumed: it lacks {error}") from None
        return checkpoint.model, progress

    def _schedule(self, optimizer: torch.optim.Optimizer, step: int) -> OneCycleLR:
        # Rebuilt rather than restored, so that --resume with another --epochs follows the schedule
        # of the new length. The peak rate comes from the optimiser's state.
        return OneCycleLR(
            optimizer,
            self.config.learning_rate,
            total_steps=self._total_steps + 1,
            pct_start=self.config.warmup,
            last_epoch=step - 1,
        )

    def _prepare_folder(self, resume: bool) -> None:
        if resume and not checkpoint_exists(self._last):
            raise CheckpointError(f"nothing to resume: {self._last} is not a checkpoint")
        if not resume and checkpoint_exists(self._last):
            raise OutputError(
                f"{self.config.out} already holds a run; go on with --resume or give another --out"
            )
        try:
            self.config.out.mkdir(parents=True, exist_ok=True)
            probe = self.config.out / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OutputError(f"cannot write to {self.config.out}: {error.strerror}") from None

    def _store(self, utterances: Sequence[Utterance]) -> AudioStore:
        if self.config.audio_cache is None:
            return FileStore(utterances)
        with self._accelerator.main_process_first():
            return CachedStore(utterances, self.config.audio_cache)

    def _save(
        self,
        folder: Path,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: _Progress,
        figures: dict[str, float] | None = None,
    ) -> None:
        if not self._accelerator.is_main_process:
            return
        model = self._accelerator.unwrap_model(module)
        if isinstance(model, CTCObjective):
            model = model.model
        save_checkpoint(
            folder, model, self._describe(progress, figures or {}), optimizer.state_dict()
        )

    def _describe(self, progress: _Progress, figures: dict[str, float]) -> dict[str, Any]:
        return {
            **figures,
            "step": progress.step,
            "epoch": progress.epoch,
            "total_steps": self._total_steps,
            "nll": progress.nll,
            "characters": progress.characters,
            "best": progress.best,
            "data": self._data_digest,
            "train_hours": sum(row.duration for row in self._train) / 3600,
            "train_utterances": len(self._train),
        }

    def _any_process(self, flag: bool) -> bool:
        if self._accelerator.num_processes == 1:
            return flag
        mine = torch.tensor(float(flag), device=self._accelerator.device)
        return bool(self._accelerator.reduce(mine, "sum") > 0)


def _accelerator(config: TrainingConfig) -> Accelerator:
    if config.device is Device.cuda and not torch.cuda.is_available():
        raise OutputError("--device cuda: PyTorch finds no CUDA device; see nvidia-smi, or use cpu")
    on_cuda = config.device is not Device.cpu and torch.cuda.is_available()
    bf16 = config.precision is Precision.bf16
    if config.precision is Precision.auto:
        bf16 = torch.cuda.is_bf16_supported() if on_cuda else torch.cpu._is_avx512_bf16_supported()
    return Accelerator(cpu=not on_cuda, mixed_precision="bf16" if bf16 else "no")


def _digest(utterances: Sequence[Utterance]) -> str:
    digest = hashlib.sha256()
    for row in utterances:
        digest.update(f"{row.audio.name}\0{row.duration}\0{row.text}\n".encode())
    return digest.hexdigest()
