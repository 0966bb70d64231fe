"""The checkpoint through ``torch.compile``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.backend import CTC_MODEL, TORCH_MODULE, Backend
from asr_bench.engines.engine import LoadedModel


@dataclass(frozen=True)
class TorchCompiled(Backend):
    """``path`` is the folder of a checkpoint. Compiling is part of the first inference."""

    label = "torch.compile"
    distributions = ("torch", "safetensors")
    modules = ("torch", "asr_train.checkpoints.checkpoint", TORCH_MODULE, CTC_MODEL)

    def unavailable_reason(self) -> str | None:
        """Say what is missing: a compiler, if not PyTorch."""
        if shutil.which("c++") is None and shutil.which("g++") is None:
            return "torch.compile needs a C++ compiler, and there is none"
        return super().unavailable_reason()

    def load(self, threads: int) -> LoadedModel:
        """Load the checkpoint, to be compiled for any length."""
        import torch

        from asr_bench.engines.torch_module import torch_model
        from asr_train.checkpoints.checkpoint import load_checkpoint

        model = load_checkpoint(Path(self.path)).model.eval()
        return torch_model(torch.compile(model, dynamic=True), threads)
