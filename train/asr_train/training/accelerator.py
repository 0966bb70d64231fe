"""The device and the arithmetic that a run trains with."""

from __future__ import annotations

import importlib
import time

import torch
from accelerate import Accelerator

from asr_train.errors import OutputError
from asr_train.training.config import Device, MixedPrecision, TrainingConfig


def make_accelerator(config: TrainingConfig) -> Accelerator:
    """The accelerate object for a run's device and precision; it joins the process group if any.

    Args:
        config: its ``device`` and ``precision`` count.

    Returns:
        An accelerator; a process trains in one precision only, which it holds.

    Raises:
        OutputError: CUDA was asked for and PyTorch finds none.
    """
    if config.device is Device.cuda and not torch.cuda.is_available():
        raise OutputError("--device cuda: PyTorch finds no CUDA device; see nvidia-smi, or use cpu")
    if torch.distributed.is_available():
        # Its functions take the group of the time of their import for a default, and hold it. What
        # DDP imports leads here: before there is a group, or its threads outlive its end.
        importlib.import_module("torch.distributed.nn.functional")
    on_cuda = config.device is not Device.cpu and torch.cuda.is_available()
    bf16 = config.precision is MixedPrecision.bf16
    if config.precision is MixedPrecision.auto:
        bf16 = torch.cuda.is_bf16_supported() if on_cuda else _bf16_is_faster()
    return Accelerator(cpu=not on_cuda, mixed_precision="bf16" if bf16 else "no")


def any_process(accelerator: Accelerator, flag: bool) -> bool:
    """Whether ``flag`` is set on any process of the run; the same answer on all of them."""
    if accelerator.num_processes == 1:
        return flag
    mine = torch.tensor(float(flag), device=accelerator.device)
    return bool(accelerator.reduce(mine, "sum") > 0)


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
