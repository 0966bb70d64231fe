"""How the learning rate changes over a run: by its steps, or by the clock."""

from __future__ import annotations

import math
import time

import torch
from torch.optim.lr_scheduler import OneCycleLR

from asr_train.training.config import TrainingConfig
from asr_train.training.run_folder import Progress

#: The rate starts at this part of its peak and ends at that, as in PyTorch's OneCycle.
_FIRST, _LAST = 1 / 25, 1 / 250_000


def rate_schedule(
    optimizer: torch.optim.Optimizer, config: TrainingConfig, progress: Progress, total_steps: int
) -> OneCycleLR | ClockSchedule:
    """One cycle over ``config.minutes``, or else over ``total_steps``, from where a run stands."""
    if config.minutes is not None:
        return ClockSchedule(
            optimizer, config.learning_rate, config.warmup, config.minutes, progress.seconds
        )
    # Rebuilt rather than restored, so that --resume with another --epochs follows the schedule
    # of the new length. The peak rate comes from the optimiser's state.
    return OneCycleLR(
        optimizer,
        config.learning_rate,
        total_steps=total_steps + 1,
        pct_start=config.warmup,
        last_epoch=progress.step - 1,
    )


class ClockSchedule:
    """One cycle (Smith & Topin 2018, arXiv:1708.07120) over minutes instead of steps.

    On a machine that is lent for a quarter of an hour, how many steps that will be is not known
    before; a schedule cut off at its peak wastes most of them.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        peak: float,
        warmup: float,
        minutes: float,
        elapsed: float = 0.0,
    ) -> None:
        """Start the clock.

        Args:
            optimizer: its groups' rates are set.
            peak: highest rate.
            warmup: share of the time in which the rate rises.
            minutes: length of the run.
            elapsed: seconds trained before.
        """
        self._optimizer = optimizer
        self._peak, self._warmup, self._seconds = peak, warmup, 60 * minutes
        self._started = time.monotonic() - elapsed
        self.step()

    @property
    def elapsed(self) -> float:
        """Seconds of the run so far."""
        return time.monotonic() - self._started

    @property
    def part(self) -> float:
        """Share of the run that is over, 0 to 1."""
        return min(self.elapsed / self._seconds, 1.0)

    def step(self) -> None:
        """Set the rate of the next step."""
        rate = self._peak * one_cycle(self.part, self._warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        """The rate of each group."""
        return [group["lr"] for group in self._optimizer.param_groups]


def one_cycle(part: float, warmup: float) -> float:
    """Rate as a part of its peak: half a cosine up, half a cosine down."""
    if part < warmup:
        return _between(_FIRST, 1.0, part / warmup)
    return _between(1.0, _LAST, (part - warmup) / max(1.0 - warmup, 1e-9))


def _between(first: float, last: float, part: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * part)) / 2
