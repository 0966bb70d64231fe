"""The TorchScript file, as a Python program without this toolkit loads it."""

from __future__ import annotations

from dataclasses import dataclass

from asr_bench.engines.backend import CTC_MODEL, TORCH_MODULE, Backend
from asr_bench.engines.engine import LoadedModel


@dataclass(frozen=True)
class TorchScript(Backend):
    """``path`` is a ``.pt`` file."""

    label = "TorchScript"
    distributions = ("torch",)
    modules = ("torch", TORCH_MODULE, CTC_MODEL)

    def load(self, threads: int) -> LoadedModel:
        """Load the file with ``torch.jit``."""
        import torch

        from asr_bench.engines.torch_module import torch_model

        module = torch.jit.load(self.path, map_location="cpu")  # type: ignore[no-untyped-call]
        return torch_model(module.eval(), threads)
