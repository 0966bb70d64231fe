"""A PyTorch module as an engine's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]


def on_threads(module: Callable[..., Any], threads: int) -> Callable[[Floats], Any]:
    """A call with one waveform [samples], on so many threads; PyTorch's are process-wide."""
    torch.set_num_threads(threads)

    @torch.inference_mode()
    def run(signal: Floats) -> Any:
        return module(torch.from_numpy(signal[None, :]), torch.tensor([signal.size]))

    return run
