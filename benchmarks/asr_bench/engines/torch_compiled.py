"""The checkpoint through ``torch.compile``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.backend import TRANSCRIBER, Backend
from asr_bench.engines.engine import Transcriber


@dataclass(frozen=True)
class TorchCompiled(Backend):
    """``path`` is a checkpoint's folder. Compiling belongs to the first inference."""

    label = "torch.compile"
    distributions = ("torch", "safetensors")
    modules = (
        "torch",
        "asr_train.checkpoints.checkpoint",
        "asr_bench.engines.torch_module",
        TRANSCRIBER,
    )

    def obstacle(self) -> str | None:
        """See ``Engine``."""
        if shutil.which("c++") is None and shutil.which("g++") is None:
            return "torch.compile needs a C++ compiler, and there is none"
        return super().obstacle()

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        import torch

        from asr_bench.engines.ctc_transcriber import CtcTranscriber
        from asr_bench.engines.torch_module import on_threads
        from asr_train.checkpoints.checkpoint import load_checkpoint

        model = load_checkpoint(Path(self.path)).model.eval()
        return CtcTranscriber(on_threads(torch.compile(model, dynamic=True), threads))
