"""The training loop: AdamW, OneCycle; resumable at any step, on one process or several."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from asr_train.checkpoints.quantization import quantized_weights
from asr_train.data.audio_store import AudioStore
from asr_train.data.batch_plan import plan_epoch
from asr_train.data.manifest import Utterance
from asr_train.evaluation.evaluate import evaluate
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.training.accelerator import any_process, make_accelerator
from asr_train.training.batch_source import BatchSource, audio_store, batch_source
from asr_train.training.config import TrainingConfig
from asr_train.training.initial_model import given_model, random_model
from asr_train.training.interruption import Interrupted, InterruptFlag
from asr_train.training.metrics_log import MetricsLog
from asr_train.training.rate_schedule import ClockSchedule, rate_schedule
from asr_train.training.run_folder import Progress, RunFolder
from asr_train.training.step import TrainingStep, phoneme_targets


@dataclass
class _Run:
    """What one call of ``fit`` works with."""

    model: ResCNNBiGRU
    step: TrainingStep
    optimizer: torch.optim.Optimizer
    scheduler: OneCycleLR | ClockSchedule
    progress: Progress
    batches: BatchSource
    dev_store: AudioStore
    metrics: MetricsLog | None  # the main process's
    bar: tqdm[Any]
    flag: InterruptFlag


class Trainer:
    """One training run. A process trains in one precision because accelerate holds it."""

    def __init__(
        self,
        model_config: ModelConfig,
        config: TrainingConfig,
        train: Sequence[Utterance],
        dev: Sequence[Utterance] = (),
    ) -> None:
        """Plan the run.

        Args:
            model_config: shape of the network.
            config: how to train.
            train: training set, as ``select`` keeps it.
            dev: development set, as ``select`` keeps it; scored after every epoch.
        """
        self.config = config
        self.model_config = model_config
        self._train, self._dev = train, dev
        self._folder = RunFolder(config.out, train)
        self._accelerator = make_accelerator(config)
        self._longest = max(row.duration for row in itertools.chain(train, dev))
        self._plans = [self._plan(epoch) for epoch in range(config.epochs)]
        self._total_steps = sum(len(plan) for plan in self._plans)
        self._phonemes = phoneme_targets(train, model_config, config)

    @property
    def processes(self) -> int:
        """How many share each step."""
        return int(self._accelerator.num_processes)

    def fit(self, *, resume: bool = False, init: Path | None = None) -> None:
        """Train to the end of the last epoch.

        Args:
            resume: go on from the ``last`` checkpoint, exactly as if never stopped.
            init: start from the weights of this checkpoint.

        Several processes train one run together and part at its end.

        Raises:
            Interrupted: Ctrl-C or SIGTERM came, and ``last`` has been written.
            ToolkitError: unusable data, checkpoint or output folder.
        """
        try:
            self._fit(resume, init)
        finally:
            # A process that exits while the threads of its group run aborts now and then: they
            # may want the interpreter that is being taken down.
            self._accelerator.end_training()

    def _fit(self, resume: bool, init: Path | None) -> None:
        main = self._accelerator.is_main_process
        if main:
            self._folder.prepare(resume=resume)
        self._accelerator.wait_for_everyone()
        store = self._store(self._train)
        model, progress, optimizer_state = self._start(store, resume, init)
        if main:
            self._folder.write_settings(self.model_config, self.config)
        model.to(self._accelerator.device)
        if self.config.compile_network:
            # Of the instance only: parameters keep their names.
            model.__dict__["convolve"] = torch.compile(model.convolve, dynamic=True)
        optimizer = torch.optim.AdamW(
            model.parameters(), self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        if optimizer_state is not None:
            optimizer.load_state_dict(optimizer_state)
        metrics = MetricsLog(self.config.out, progress.step) if main else None
        bar = tqdm(total=self._total_steps, initial=progress.step, unit="step", disable=not main)
        try:
            with InterruptFlag() as flag:
                run = _Run(
                    model=model,
                    step=TrainingStep(
                        model, optimizer, self.config, self._accelerator, self._phonemes
                    ),
                    optimizer=optimizer,
                    scheduler=rate_schedule(optimizer, self.config, progress, self._total_steps),
                    progress=progress,
                    batches=batch_source(
                        self._train,
                        store,
                        self.model_config,
                        self.config,
                        self._accelerator.device,
                        self._longest,
                    ),
                    dev_store=self._store(self._dev),
                    metrics=metrics,
                    bar=bar,
                    flag=flag,
                )
                for epoch in range(progress.epoch, self.config.epochs):
                    self._epoch(run, epoch)
                    self._finish_epoch(run)
                    if self._time_is_up(run):
                        break
        finally:
            bar.close()
            if metrics is not None:
                metrics.close()

    def _epoch(self, run: _Run, epoch: int) -> None:
        progress = run.progress
        first = sum(len(plan) for plan in self._plans[:epoch])
        plan = self._plans[epoch][progress.step - first :]
        run.step.loss.train()
        started = time.monotonic()
        rank, world = self._accelerator.process_index, self._accelerator.num_processes
        batches = run.batches.epoch(
            [batch[rank::world] for batch in plan],
            self._seed(epoch),
            [self._seed(progress.step + offset) for offset in range(len(plan))],
        )
        for batch, indices in zip(batches, plan, strict=True):
            characters = sum(len(self._train[index].text) for index in indices)
            learning_rate = float(run.scheduler.get_last_lr()[0])
            seed = self._seed(progress.step)
            nll, grad_norm = run.step(batch, characters, seed, self._part(run))
            run.scheduler.step()
            if isinstance(run.scheduler, ClockSchedule):
                progress.seconds = run.scheduler.elapsed
            progress.step += 1
            progress.nll += nll
            progress.characters += characters
            now = time.monotonic()
            seconds = sum(self._train[index].duration for index in indices)
            if run.metrics is not None:
                run.metrics.step(
                    {
                        "step": progress.step,
                        "epoch": epoch + 1,
                        "loss": nll / characters,
                        "learning_rate": learning_rate,
                        "grad_norm": grad_norm,
                        "audio_seconds_per_second": seconds / (now - started),
                    }
                )
            started = now
            run.bar.update()
            run.bar.set_postfix(epoch=epoch + 1, loss=f"{nll / characters:.3f}")
            if self._any_process(run.flag.requested):
                self._save_last(run)
                raise Interrupted(
                    f"stopped after step {progress.step} of {self._total_steps}; "
                    "go on with the same command and --resume"
                )
            if self._time_is_up(run):
                break
            if progress.step % self.config.checkpoint_every == 0:
                self._save_last(run)
        progress.epoch = epoch + 1

    def _finish_epoch(self, run: _Run) -> None:
        progress = run.progress
        figures = {
            "step": progress.step,
            "epoch": progress.epoch,
            "train_loss": progress.nll / progress.characters,
        }
        progress.nll, progress.characters = 0.0, 0
        if run.metrics is not None:
            rates = None
            # Scored and kept as they will be shipped; what training goes on from is not rounded.
            with quantized_weights(run.model, self.config.quantize_weights):
                if self._dev:
                    evaluation = evaluate(run.model, self._dev, run.dev_store)
                    rates = (
                        evaluation.rates.word_error_rate,
                        evaluation.rates.character_error_rate,
                    )
                    figures["dev_loss"] = evaluation.loss
                    figures["word_error_rate"], figures["character_error_rate"] = rates
                    self._folder.save_epoch(run.model, progress, figures, self.config.keep)
                # Without dev data the latest is the best that is known.
                if rates is None or progress.best is None or rates <= progress.best:
                    progress.best = rates
                    self._folder.save_best(run.model, progress, figures)
            # Logs first: a resumed run drops the rows that its checkpoint does not know.
            run.metrics.epoch(figures)
            self._save_last(run, figures)
            tqdm.write("  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
        self._accelerator.wait_for_everyone()

    def _save_last(self, run: _Run, figures: dict[str, float] | None = None) -> None:
        if self._accelerator.is_main_process:
            self._folder.save_last(run.model, run.progress, run.optimizer.state_dict(), figures)

    def _seed(self, number: int) -> int:
        """Seed for one step or epoch, scaled so that adjacent run seeds never overlap."""
        return self.config.seed * 1_000_003 + number

    def _plan(self, epoch: int) -> list[list[int]]:
        return plan_epoch(
            [row.duration for row in self._train],
            self.config.batch_seconds,
            pad_to=self.config.pad_to,
            longest=self._longest,
            min_items=self.processes,
            seed=self._seed(epoch),
        )

    def _start(
        self, store: AudioStore, resume: bool, init: Path | None
    ) -> tuple[ResCNNBiGRU, Progress, dict[str, Any] | None]:
        if resume:
            return self._folder.restore(self.model_config)
        seed = self.config.seed
        if init is not None:
            return given_model(self.model_config, init, seed), Progress(), None
        return random_model(self.model_config, len(self._train), store, seed), Progress(), None

    def _part(self, run: _Run) -> float:
        """How much of the run is over, 0 to 1; the same on all processes unless the clock rules."""
        if isinstance(run.scheduler, ClockSchedule):
            return run.scheduler.part
        return run.progress.step / self._total_steps

    def _time_is_up(self, run: _Run) -> bool:
        return isinstance(run.scheduler, ClockSchedule) and self._any_process(self._part(run) >= 1)

    def _store(self, utterances: Sequence[Utterance]) -> AudioStore:
        return audio_store(utterances, self.config, self._accelerator)

    def _any_process(self, flag: bool) -> bool:
        return any_process(self._accelerator, flag)
