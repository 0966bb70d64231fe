"""The processes that torchrun started for one training, which share every step."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from asr_train.errors import ConfigError

_PATIENCE = timedelta(hours=4)
"""How long the others wait while the first process reads texts."""


@dataclass(frozen=True)
class Processes:
    """Which one this is, and of how many.

    Attributes:
        rank: Number of this process, from 0; the first one reads, writes and reports.
        number: How many there are.
    """

    rank: int = 0
    number: int = 1

    @property
    def is_first(self) -> bool:
        """Return whether this process reads, writes and reports."""
        return self.rank == 0

    def share_of(self, rows: int) -> int:
        """Return how many rows of a step are this process's.

        Raises:
            ConfigError: The rows cannot be divided evenly.
        """
        if rows % self.number:
            raise ConfigError(
                f"{rows} rows a step cannot be shared by {self.number} processes; give "
                "--batch-rows a multiple of them"
            )
        return rows // self.number

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.number > 1:
            dist.barrier()

    def average_gradients(
        self, parameters: Sequence[nn.Parameter], loss: float, progress: float
    ) -> tuple[float, float]:
        """Give all processes the mean of their gradients.

        Args:
            parameters: A network's [parameters]; one without a gradient gets zeros.
            loss: Of this process's rows.
            progress: Of the training, as this process's clock has it.

        Returns:
            The mean loss, and the first process's progress.
        """
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if self.number == 1:
            return loss, progress
        numbers = torch.tensor([loss, progress if self.is_first else 0.0])
        gradients = [each.grad.reshape(-1) for each in parameters if each.grad is not None]
        # One message a step, because each costs as much as some hundred thousand numbers in it.
        flat = torch.cat([*gradients, numbers])
        dist.all_reduce(flat)
        place = 0
        for parameter in parameters:
            mean = flat[place : place + parameter.numel()] / self.number
            parameter.grad = mean.view_as(parameter)
            place += parameter.numel()
        total, first = flat[-2:].tolist()
        return total / self.number, first


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the other processes of torchrun while the block runs; alone without it."""
    number = int(os.environ.get("WORLD_SIZE", "1"))
    if number == 1:
        yield Processes()
        return
    dist.init_process_group("gloo", timeout=_PATIENCE)
    try:
        yield Processes(dist.get_rank(), number)
    finally:
        dist.destroy_process_group()
