"""The ONNX file in OpenVINO, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asr_bench.engines.backend import CTC_MODEL, Backend
from asr_bench.engines.engine import LoadedModel

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples


@dataclass(frozen=True)
class OpenVino(Backend):
    """``path`` is a ``.onnx`` file."""

    label = "OpenVINO"
    distributions = ("openvino",)
    modules = ("openvino", CTC_MODEL)

    def load(self, threads: int) -> LoadedModel:
        """Compile the model for float32, because it may compute in bfloat16 otherwise."""
        import openvino

        from asr_bench.engines.ctc_model import ctc_model, feeds
        from asr_runtime.model_file.contract import LOG_PROBS, OUTPUT_LENGTHS

        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(self.path), "CPU", settings)

        def run(samples: Samples) -> Any:
            outputs = compiled(feeds(samples))
            return outputs[LOG_PROBS], outputs[OUTPUT_LENGTHS]

        return ctc_model(run)
