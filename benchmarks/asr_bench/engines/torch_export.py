"""The ``torch.export`` file, checked first, as this toolkit loads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asr_bench import exporting
from asr_bench.engines.backend import CTC_MODEL, TORCH_MODULE, Backend
from asr_bench.engines.engine import LoadedModel


@dataclass(frozen=True)
class TorchExport(Backend):
    """``path`` is a ``.pt2`` file."""

    label = "torch.export"
    distributions = ("torch",)
    modules = ("torch", exporting.PT2_MODULE, TORCH_MODULE, CTC_MODEL)

    def load(self, threads: int) -> LoadedModel:
        """Load the file without unpickling anything."""
        from asr_bench.engines.torch_module import torch_model

        return torch_model(exporting.load_torch_export(Path(self.path)), threads)
