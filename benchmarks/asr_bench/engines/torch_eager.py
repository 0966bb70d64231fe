"""The checkpoint in PyTorch, operator by operator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.backend import CTC_MODEL, TORCH_MODULE, Backend
from asr_bench.engines.engine import LoadedModel


@dataclass(frozen=True)
class TorchEager(Backend):
    """``path`` is the folder of a checkpoint."""

    label = "torch eager"
    distributions = ("torch", "safetensors")
    modules = ("torch", "asr_train.checkpoints.checkpoint", TORCH_MODULE, CTC_MODEL)

    def unavailable_reason(self) -> str | None:
        """Say what is missing; whether PyTorch finds a GPU shows only when it is imported."""
        missing = super().unavailable_reason()
        if missing is None and self.device == "cuda":
            import torch

            return None if torch.cuda.is_available() else "PyTorch finds no CUDA GPU"
        return missing

    def load(self, threads: int) -> LoadedModel:
        """Load the checkpoint in float32."""
        from asr_bench.engines.torch_module import torch_model
        from asr_train.checkpoints.checkpoint import load_checkpoint

        module = load_checkpoint(Path(self.path)).model.eval().to(self.device)
        return torch_model(module, threads, self.device)
