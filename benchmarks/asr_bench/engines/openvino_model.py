"""The ONNX file in OpenVINO, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asr_bench.engines.backend import TRANSCRIBER, Backend
from asr_bench.engines.engine import Transcriber

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples


@dataclass(frozen=True)
class OpenVino(Backend):
    """``path`` is a ``.onnx`` file, ``precision`` its weights'."""

    distributions = ("openvino",)
    modules = ("openvino", TRANSCRIBER)

    precision: str

    @property
    def name(self) -> str:
        """See ``Engine``."""
        return f"OpenVINO {self.model} {self.precision}"

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        import numpy as np
        import openvino

        from asr_bench.engines.ctc_transcriber import CtcTranscriber
        from asr_runtime.model_file import contract

        core = openvino.Core()
        # Without the hint it may compute in bfloat16, which the others do not.
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(self.path), "CPU", settings)

        def run(samples: Samples) -> Any:
            lengths = np.array([samples.size], dtype=np.int64)
            outputs = compiled(
                {contract.INPUT_VALUES: samples[None, :], contract.INPUT_LENGTHS: lengths}
            )
            return outputs[contract.LOG_PROBS], outputs[contract.OUTPUT_LENGTHS]

        return CtcTranscriber(run)
