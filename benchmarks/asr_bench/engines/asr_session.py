"""The network of a model file in the session that asr-runtime opens, without its decoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.backend import CTC_MODEL, Backend
from asr_bench.engines.engine import LoadedModel
from asr_bench.engines.onnx_runtime import onnx_runtime_distribution


@dataclass(frozen=True)
class AsrSession(Backend):
    """``path`` is a ``.onnx`` or ``.ort`` file; its suffix is the name of the format."""

    distributions = ("asr-runtime", onnx_runtime_distribution())
    modules = ("asr_runtime.inference.session", "onnxruntime", CTC_MODEL)

    @property
    def name(self) -> str:
        """Format, weights and precision."""
        return f"{Path(self.path).suffix[1:].upper()} {self.model} {self.precision}"

    def load(self, threads: int) -> LoadedModel:
        """Open the session as asr-run does."""
        from asr_bench.engines.ctc_model import decode
        from asr_runtime.inference.session import load_session

        session = load_session(Path(self.path), device="cpu", threads=threads)
        return LoadedModel(
            transcribe=lambda samples: decode(session.run([samples])[0]),
            log_probs=lambda samples: session.run([samples])[0],
        )
