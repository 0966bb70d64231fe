"""A PyTorch module as a loaded model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from asr_bench.engines.ctc_model import ctc_model
from asr_bench.engines.engine import LoadedModel


def torch_model(module: Callable[..., Any], threads: int, device: str = "cpu") -> LoadedModel:
    """Wrap a module that keeps the model contract, with parameters on ``device`` already.

    Args:
        module: Takes samples [1, samples] and lengths [1].
        threads: CPU threads; PyTorch's are those of the whole process.
        device: PyTorch's name of a device.
    """
    torch.set_num_threads(threads)

    @torch.inference_mode()
    def run(signal: npt.NDArray[np.float32]) -> tuple[Any, ...]:
        samples, lengths = torch.from_numpy(signal[None, :]), torch.tensor([signal.size])
        outputs = module(samples.to(device), lengths.to(device))
        return tuple(output.cpu() for output in outputs)

    return ctc_model(run)
