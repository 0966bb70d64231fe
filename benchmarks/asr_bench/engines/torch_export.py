"""The ``torch.export`` file, checked first, as this toolkit loads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.backend import TRANSCRIBER, Backend
from asr_bench.engines.engine import Transcriber


@dataclass(frozen=True)
class TorchExport(Backend):
    """``path`` is a ``.pt2`` file."""

    label = "torch.export"
    distributions = ("torch",)
    modules = (
        "torch",
        "asr_export.loading.pt2_file",
        "asr_bench.engines.torch_module",
        TRANSCRIBER,
    )

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        from asr_bench.engines.ctc_transcriber import CtcTranscriber
        from asr_bench.engines.torch_module import on_threads
        from asr_export.loading.pt2_file import load_pt2

        return CtcTranscriber(on_threads(load_pt2(Path(self.path))[0], threads))
