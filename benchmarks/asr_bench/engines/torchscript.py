"""The TorchScript file, as a Python program without this toolkit loads it."""

from __future__ import annotations

from dataclasses import dataclass

from asr_bench.engines.backend import TRANSCRIBER, Backend
from asr_bench.engines.engine import Transcriber


@dataclass(frozen=True)
class TorchScript(Backend):
    """``path`` is a ``.pt`` file."""

    label = "TorchScript"
    distributions = ("torch",)
    modules = ("torch", "asr_bench.engines.torch_module", TRANSCRIBER)

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        import torch

        from asr_bench.engines.ctc_transcriber import CtcTranscriber
        from asr_bench.engines.torch_module import on_threads

        module = torch.jit.load(self.path, map_location="cpu")  # type: ignore[no-untyped-call]
        return CtcTranscriber(on_threads(module.eval(), threads))
