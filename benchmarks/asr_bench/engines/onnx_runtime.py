"""The ONNX file in ONNX Runtime, as a program without asr-runtime loads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asr_bench.engines.backend import TRANSCRIBER, Backend
from asr_bench.engines.engine import Transcriber, installed_version, is_installed

if TYPE_CHECKING:
    from asr_bench.engines.engine import Samples

#: Either of them is the module; see the extras of asr-runtime.
_BUILDS = ("onnxruntime", "onnxruntime-gpu")


def onnx_runtime_distribution() -> str:
    """The installed build's name."""
    return next((name for name in _BUILDS if installed_version(name)), _BUILDS[0])


def cuda_obstacle(device: str) -> str | None:
    """Why ``device`` cannot be used: it is "cuda", and ONNX Runtime a build without it."""
    if device == "cuda" and is_installed("onnxruntime"):
        import onnxruntime

        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            return "this onnxruntime is a build without CUDA (onnxruntime-gpu has it)"
    return None


@dataclass(frozen=True)
class OnnxRuntime(Backend):
    """``path`` is a ``.onnx`` or ``.ort`` file, ``precision`` its weights'."""

    distributions = (onnx_runtime_distribution(),)
    modules = ("onnxruntime", TRANSCRIBER)

    precision: str
    device: str = "cpu"

    @property
    def name(self) -> str:
        """See ``Engine``."""
        device = "" if self.device == "cpu" else f", {self.device}"
        return f"ONNX Runtime {self.model} {self.precision}{device}"

    def obstacle(self) -> str | None:
        """See ``Engine``; what a build can do shows only when it is imported."""
        return cuda_obstacle(self.device) or super().obstacle()

    def load(self, threads: int) -> Transcriber:
        """See ``Engine``."""
        import numpy as np
        import onnxruntime

        from asr_bench.engines.ctc_transcriber import CtcTranscriber
        from asr_runtime.model_file import contract

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        provider = "CPUExecutionProvider"
        if self.device == "cuda":
            provider = "CUDAExecutionProvider"
            onnxruntime.preload_dlls()  # where pip installed CUDA's libraries, no system path leads
        session = onnxruntime.InferenceSession(self.path, options, providers=[provider])
        if session.get_providers()[0] != provider:
            raise RuntimeError(f"{provider} could not be set up; it says why above")

        def run(samples: Samples) -> Any:
            lengths = np.array([samples.size], dtype=np.int64)
            feeds = {contract.INPUT_VALUES: samples[None, :], contract.INPUT_LENGTHS: lengths}
            return session.run([contract.LOG_PROBS, contract.OUTPUT_LENGTHS], feeds)

        return CtcTranscriber(run)
