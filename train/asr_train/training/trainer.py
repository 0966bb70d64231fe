"""The training loop: AdamW, OneCycle; resumable at any step, on one process or several."""

from __future__ import annotations

import importlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.checkpoints.quantization import rounded_weights
from asr_train.data.audio_store import AudioStore, CachedStore, FileStore
from asr_train.data.batching import Batch, PadTo, plan_epoch
from asr_train.data.dataloader import BatchSource, LoaderBatches
from asr_train.data.device_batches import DeviceBatches
from asr_train.data.manifest import Utterance
from asr_train.data.targets import PhonemeTargets
from asr_train.errors import CheckpointError, ConfigError, OutputError, TrainingError
from asr_train.evaluation.evaluate import evaluate
from asr_train.model.config import SAMPLE_RATE, ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.pronunciation.lexicon import read_lexicon
from asr_train.training.config import Device, Precision, TrainingConfig
from asr_train.training.denominator import LabelTrigram, estimate_trigram
from asr_train.training.feature_statistics import set_feature_statistics
from asr_train.training.interruption import Interrupted, InterruptFlag
from asr_train.training.loss import CTCObjective
from asr_train.training.metrics_log import History
from asr_train.training.rate_schedule import ClockSchedule, rate_schedule
from asr_train.training.run_folder import Progress, RunFolder

#: Consecutive steps with a NaN or infinite gradient after which a run is given up.
MAX_BAD_STEPS = 20


@dataclass
class _Run:
    """What one call of ``fit`` works with."""

    model: ResCNNBiGRU
    objective: torch.nn.Module  # the model with its loss, as accelerate wraps it
    optimizer: torch.optim.Optimizer
    scheduler: OneCycleLR | ClockSchedule
    progress: Progress
    batches: BatchSource
    dev_store: AudioStore
    history: History | None  # the main process's
    bar: tqdm[Any]
    flag: InterruptFlag


class Trainer:
    """One training run; see ``fit``. A process trains in one precision: accelerate holds it."""

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
        self._folder = RunFolder(config.out, train)
        self._accelerator = _accelerator(config)
        self._longest = max(row.duration for row in itertools.chain(train, dev))
        self._plans = [self._plan(epoch) for epoch in range(config.epochs)]
        self._total_steps = sum(len(plan) for plan in self._plans)
        self._phonemes = self._phoneme_targets()
        self._bad_steps = 0

    @property
    def processes(self) -> int:
        """How many share each step."""
        return int(self._accelerator.num_processes)

    def fit(self, *, resume: bool = False, init: Path | None = None) -> None:
        """Train to the end of the last epoch.

        Args:
            resume: go on from the ``last`` checkpoint, exactly as if never stopped.
            init: start from the weights of this checkpoint.

        Raises:
            Interrupted: on Ctrl-C or SIGTERM, after writing ``last``.
            ToolkitError: unusable data, checkpoint or output folder.

        Of several processes each trains one run: they part at its end.
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
        model.to(self._accelerator.device)
        if self.config.compile_network:
            # Of the instance only: parameters keep their names.
            model.__dict__["convolve"] = torch.compile(model.convolve, dynamic=True)
        optimizer = torch.optim.AdamW(
            model.parameters(), self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        if optimizer_state is not None:
            optimizer.load_state_dict(optimizer_state)
        history = History(self.config.out, progress.step) if main else None
        bar = tqdm(total=self._total_steps, initial=progress.step, unit="step", disable=not main)
        try:
            with InterruptFlag() as flag:
                run = _Run(
                    model=model,
                    objective=self._accelerator.prepare_model(
                        CTCObjective(
                            model, self.config.masking, self.config.objective, self._trigram()
                        )
                    ),
                    optimizer=optimizer,
                    scheduler=rate_schedule(optimizer, self.config, progress, self._total_steps),
                    progress=progress,
                    batches=self._batches(store),
                    dev_store=self._store(self._dev),
                    history=history,
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
            if history is not None:
                history.close()

    def _epoch(self, run: _Run, epoch: int) -> None:
        progress = run.progress
        first = sum(len(plan) for plan in self._plans[:epoch])
        plan = self._plans[epoch][progress.step - first :]
        run.objective.train()
        started = time.monotonic()
        rank, world = self._accelerator.process_index, self._accelerator.num_processes
        batches = run.batches.epoch(
            [batch[rank::world] for batch in plan],
            self._seed(epoch),
            [self._seed(progress.step + offset) for offset in range(len(plan))],
        )
        for batch, indices in zip(batches, plan, strict=True):
            # Dropout and masks depend on the step alone: a resumed run draws the same ones.
            torch.manual_seed(self._seed(progress.step))
            characters = sum(len(self._train[index].text) for index in indices)
            learning_rate = float(run.scheduler.get_last_lr()[0])
            nll, grad_norm = self._step(run, batch, characters)
            progress.step += 1
            progress.nll += nll
            progress.characters += characters
            now = time.monotonic()
            seconds = sum(self._train[index].duration for index in indices)
            if run.history is not None:
                run.history.step(
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

    def _step(self, run: _Run, batch: Batch, characters: int) -> tuple[float, float]:
        """Summed loss and gradient norm of the whole batch, over all processes."""
        device = self._accelerator.device
        with rounded_weights(run.model, self.config.round_weights):
            nll: Tensor = run.objective(
                batch.samples.to(device),
                batch.lengths.to(device),
                batch.targets.to(device),
                batch.target_lengths.to(device),
                self.config.chunked.draw(self.model_config, self._seed(run.progress.step)),
                self._phonemes_of(batch),
                self._part(run) >= self.config.lf_mmi_from,
            )
            # Processes average their gradients; the loss is a mean over the characters of the
            # whole batch, so each one's share is scaled by their number: the result is that of one
            # process.
            self._accelerator.backward(nll * (self.processes / characters))
        grad_norm = torch.nn.utils.clip_grad_norm_(
            run.objective.parameters(), self.config.max_grad_norm
        )
        if grad_norm.isfinite():
            run.optimizer.step()
            self._bad_steps = 0
        else:
            self._bad_steps += 1
        if self._bad_steps >= MAX_BAD_STEPS:
            raise TrainingError(
                f"no finite gradient in {MAX_BAD_STEPS} steps: training has diverged; "
                "start again with a lower --learning-rate"
            )
        run.optimizer.zero_grad()
        run.scheduler.step()
        if isinstance(run.scheduler, ClockSchedule):
            run.progress.seconds = run.scheduler.elapsed
        total: Tensor = self._accelerator.reduce(nll.detach(), "sum")
        return total.item(), grad_norm.item()

    def _finish_epoch(self, run: _Run) -> None:
        progress = run.progress
        figures = {
            "step": progress.step,
            "epoch": progress.epoch,
            "train_loss": progress.nll / progress.characters,
        }
        progress.nll, progress.characters = 0.0, 0
        if run.history is not None:
            rates = None
            # Scored and kept as they will be shipped; what training goes on from is not rounded.
            with rounded_weights(run.model, self.config.round_weights):
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
            run.history.epoch(figures)
            self._save_last(run, figures)
            tqdm.write("  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
        self._accelerator.wait_for_everyone()

    def _save_last(self, run: _Run, figures: dict[str, float] | None = None) -> None:
        if self._accelerator.is_main_process:
            self._folder.save_last(run.model, run.progress, run.optimizer.state_dict(), figures)

    def _seed(self, number: int) -> int:
        """Of a step or an epoch: runs with neighbouring seeds share none."""
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

    def _batches(self, store: AudioStore) -> BatchSource:
        config = self.config
        pad_to = round(self._longest * SAMPLE_RATE) if config.pad_to is PadTo.max else None
        if config.audio_on_device:
            assert isinstance(store, CachedStore)  # TrainingConfig asks for its folder
            return DeviceBatches(
                self._train,
                store,
                self.model_config,
                config.augmentation,
                self._accelerator.device,
                config.seed,
                pad_to=pad_to,
            )
        return LoaderBatches(
            self._train,
            store,
            self.model_config,
            config.augmentation,
            pad_to=pad_to,
            workers=config.workers,
        )

    def _start(
        self, store: AudioStore, resume: bool, init: Path | None
    ) -> tuple[ResCNNBiGRU, Progress, dict[str, Any] | None]:
        if resume:
            return self._folder.restore(self.model_config)
        if init is not None:
            given = load_checkpoint(init).model
            # Dropout shapes no weight: fine-tuning may well want another. A head can be added.
            wanted = self.model_config
            given_config = replace(given.config, dropout=wanted.dropout)
            if given.config.phonemes == 0:
                given_config = replace(given_config, phonemes=wanted.phonemes)
            if given_config != wanted:
                raise CheckpointError(
                    f"{init} has another model configuration than was asked for; "
                    "give its --preset and --set options"
                )
            torch.manual_seed(self.config.seed)
            model = ResCNNBiGRU(self.model_config)
            # A phoneme head that the given model lacks stays untrained.
            model.load_state_dict({**model.state_dict(), **given.state_dict()})
            return model, Progress(), None
        torch.manual_seed(self.config.seed)
        model = ResCNNBiGRU(self.model_config)
        set_feature_statistics(model, len(self._train), store, self.config.seed)
        return model, Progress(), None

    def _part(self, run: _Run) -> float:
        """How much of the run is over, 0 to 1; the same on all processes unless the clock rules."""
        if isinstance(run.scheduler, ClockSchedule):
            return run.scheduler.part
        return run.progress.step / self._total_steps

    def _time_is_up(self, run: _Run) -> bool:
        return isinstance(run.scheduler, ClockSchedule) and self._any_process(self._part(run) >= 1)

    def _phoneme_targets(self) -> PhonemeTargets | None:
        if (self.config.lexicon is None) != (self.model_config.phonemes == 0):
            raise ConfigError("phonemes need both: --lexicon FILE and --set phonemes=39")
        if self.config.lexicon is None:
            return None
        return PhonemeTargets(self._train, read_lexicon(self.config.lexicon))

    def _phonemes_of(self, batch: Batch) -> tuple[Tensor, Tensor] | None:
        if self._phonemes is None:
            return None
        targets, lengths = self._phonemes.of(batch)
        return targets.to(self._accelerator.device), lengths.to(self._accelerator.device)

    def _trigram(self) -> LabelTrigram | None:
        if self._phonemes is None or self.config.lf_mmi_from >= 1:
            return None
        return estimate_trigram(self._phonemes.sequences, self.model_config.phonemes)

    def _store(self, utterances: Sequence[Utterance]) -> AudioStore:
        if self.config.audio_cache is None:
            return FileStore(utterances)
        with self._accelerator.main_process_first():
            return CachedStore(utterances, self.config.audio_cache)

    def _any_process(self, flag: bool) -> bool:
        if self.processes == 1:
            return flag
        mine = torch.tensor(float(flag), device=self._accelerator.device)
        return bool(self._accelerator.reduce(mine, "sum") > 0)


def _accelerator(config: TrainingConfig) -> Accelerator:
    if config.device is Device.cuda and not torch.cuda.is_available():
        raise OutputError("--device cuda: PyTorch finds no CUDA device; see nvidia-smi, or use cpu")
    if torch.distributed.is_available():
        # Its functions take the group of the time of their import for a default, and hold it. What
        # DDP imports leads here: before there is a group, or its threads outlive its end.
        importlib.import_module("torch.distributed.nn.functional")
    on_cuda = config.device is not Device.cpu and torch.cuda.is_available()
    bf16 = config.precision is Precision.bf16
    if config.precision is Precision.auto:
        bf16 = torch.cuda.is_bf16_supported() if on_cuda else _bf16_is_faster()
    return Accelerator(cpu=not on_cuda, mixed_precision="bf16" if bf16 else "no")


def _bf16_is_faster() -> bool:
    """Whether this processor multiplies bf16 clearly faster: instructions for it may be slower."""
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.ones(1024, 1024, dtype=dtype)
        rounds = []
        for _ in range(4):
            started = time.perf_counter()
            torch.mm(matrix, matrix)
            rounds.append(time.perf_counter() - started)
        seconds[dtype] = min(rounds)
    return seconds[torch.bfloat16] < 0.8 * seconds[torch.float32]
