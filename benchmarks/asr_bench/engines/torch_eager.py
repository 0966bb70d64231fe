"""The checkpoint in PyTorch, operator by operator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.backend import TRANSCRIBER, Backend
from asr_bench.engines.engine import Transcriber


@dataclass(frozen=True)
class TorchEager(Backend):
    """``path`` is a checkpoint's folder; ``device`` PyTorch's name of one."""

    distributions = ("torch", "safetensors")
    modules = (
        "torch",
        "asr_train.checkpoints.checkpoint",
        "asr_bench.engines.torch_module",
        TRANSCRIBER,
    )

    device: str = "cpu"

    @property
    def name(self) -> str:
        """See ``Engine``."""
        return f"torch eager {self.model}" + ("" if self.device == "cpu" else f", {self.device}")

    def obstacle(self) -> str | None:
        """See ``Engine``; whether PyTorch finds a GPU shows only when it is imported."""
        missing = super().obstacle()
        if missing is None and self.device == "cuda":
            import torch

            return None if torch.cuda.is_available() else "PyTorch finds no CUDA GPU"
        return missing

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        import torch

        from asr_bench.engines.ctc_transcriber import CtcTranscriber
        from asr_bench.engines.torch_module import on_threads
        from asr_train.checkpoints.checkpoint import load_checkpoint

        module = load_checkpoint(Path(self.path)).model.eval().to(self.device)

        def run(samples: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, ...]:
            outputs = module(samples.to(self.device), lengths.to(self.device))
            return tuple(output.cpu() for output in outputs)

        return CtcTranscriber(on_threads(run if self.device != "cpu" else module, threads))
