"""A checkpoint in PyTorch: as it is, compiled, and in the two files that PyTorch itself exports."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench import exporting
from asr_bench.engines.backend import CTC_MODEL, Backend
from asr_bench.engines.engine import LoadedModel

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

_CHECKPOINT = "asr_train.checkpoints.checkpoint"


@dataclass(frozen=True)
class TorchEager(Backend):
    """Operator by operator; ``path`` is the folder of a checkpoint."""

    label = "torch eager"
    distributions = ("torch", "safetensors")
    modules = ("torch", _CHECKPOINT, CTC_MODEL)

    def unavailable_reason(self) -> str | None:
        """Say what is missing; whether PyTorch finds a GPU shows only when it is imported."""
        missing = super().unavailable_reason()
        if missing is None and self.device == "cuda":
            import torch

            return None if torch.cuda.is_available() else "PyTorch finds no CUDA GPU"
        return missing

    def load(self, threads: int) -> LoadedModel:
        """Load the checkpoint in float32."""
        from asr_train.checkpoints.checkpoint import load_checkpoint

        module = load_checkpoint(Path(self.path)).model.eval().to(self.device)
        return _loaded(module, threads, self.device)


@dataclass(frozen=True)
class TorchCompiled(Backend):
    """``path`` is the folder of a checkpoint. Compiling is part of the first inference."""

    label = "torch.compile"
    distributions = ("torch", "safetensors")
    modules = ("torch", _CHECKPOINT, CTC_MODEL)

    def unavailable_reason(self) -> str | None:
        """Say what is missing: a compiler, if not PyTorch."""
        if shutil.which("c++") is None and shutil.which("g++") is None:
            return "torch.compile needs a C++ compiler, and there is none"
        return super().unavailable_reason()

    def load(self, threads: int) -> LoadedModel:
        """Load the checkpoint, to be compiled for any length."""
        import torch

        from asr_train.checkpoints.checkpoint import load_checkpoint

        model = load_checkpoint(Path(self.path)).model.eval()
        return _loaded(torch.compile(model, dynamic=True), threads)


@dataclass(frozen=True)
class TorchScript(Backend):
    """``path`` is a ``.pt`` file, loaded as a Python program without this toolkit does."""

    label = "TorchScript"
    distributions = ("torch",)
    modules = ("torch", CTC_MODEL)

    def load(self, threads: int) -> LoadedModel:
        """Load the file with ``torch.jit``."""
        import torch

        module = torch.jit.load(self.path, map_location="cpu")  # type: ignore[no-untyped-call]
        return _loaded(module.eval(), threads)


@dataclass(frozen=True)
class TorchExport(Backend):
    """``path`` is a ``.pt2`` file, checked first, as this toolkit loads it."""

    label = "torch.export"
    distributions = ("torch",)
    modules = ("torch", exporting.PT2_MODULE, CTC_MODEL)

    def load(self, threads: int) -> LoadedModel:
        """Load the file without unpickling anything."""
        return _loaded(exporting.load_torch_export(Path(self.path)), threads)


def _loaded(module: Callable[..., Any], threads: int, device: str = "cpu") -> LoadedModel:
    """Wrap a module that keeps the model contract, with parameters on ``device`` already.

    Args:
        module: Takes samples [1, samples] and lengths [1].
        threads: CPU threads; PyTorch's are those of the whole process.
        device: PyTorch's name of a device.
    """
    import torch

    from asr_bench.engines.ctc_model import ctc_model

    torch.set_num_threads(threads)

    @torch.inference_mode()
    def run(signal: Samples) -> tuple[Any, ...]:
        samples, lengths = torch.from_numpy(signal[None, :]), torch.tensor([signal.size])
        outputs = module(samples.to(device), lengths.to(device))
        return tuple(output.cpu() for output in outputs)

    return ctc_model(run)
