"""onnx-asr with a model folder whose ``config.json`` names its type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from asr_bench.engines.engine import LoadedModel, LocalModelPeer


@dataclass(frozen=True)
class OnnxAsr(LocalModelPeer):
    """``path`` is the folder."""

    label = "onnx-asr"
    distributions = ("onnx-asr",)
    modules = ("onnx_asr", "onnxruntime")

    def unavailable_reason(self) -> str | None:
        """Say what is missing, the model's type included."""
        missing = super().unavailable_reason()
        if missing is None and not Path(self.path, "config.json").is_file():
            return f"{self.path} has no config.json with the model's type"
        return missing

    def load(self, threads: int) -> LoadedModel:
        """Load the kind of model that the folder says, on the CPU."""
        import onnx_asr
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        config = json.loads(Path(self.path, "config.json").read_text(encoding="utf-8"))
        model = onnx_asr.load_model(
            config["model_type"],
            self.path,
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )
        return LoadedModel(lambda samples: str(model.recognize(samples)))
