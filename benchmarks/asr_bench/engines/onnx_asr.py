"""onnx-asr with a model folder whose ``config.json`` names its type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_bench.engines.local_peer import LocalPeer

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples


@dataclass(frozen=True)
class OnnxAsr(LocalPeer):
    """``path`` is the folder."""

    label = "onnx-asr"
    distributions = ("onnx-asr",)
    modules = ("onnx_asr", "onnxruntime")

    def obstacle(self) -> str | None:
        """See ``Engine``."""
        missing = super().obstacle()
        if missing is None and not Path(self.path, "config.json").is_file():
            return f"{self.path} has no config.json with the model's type"
        return missing

    def load(self, threads: int) -> OnnxAsrTranscriber:
        """See ``Engine``."""
        import onnx_asr
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        config = json.loads(Path(self.path, "config.json").read_text(encoding="utf-8"))
        return OnnxAsrTranscriber(
            onnx_asr.load_model(
                config["model_type"],
                self.path,
                sess_options=options,
                providers=["CPUExecutionProvider"],
            )
        )


class OnnxAsrTranscriber:
    """A model of onnx-asr."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def transcribe(self, samples: Samples) -> str:
        """See ``Transcriber``."""
        return str(self._model.recognize(samples))
