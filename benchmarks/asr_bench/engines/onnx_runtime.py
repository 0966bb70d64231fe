"""The ONNX file in ONNX Runtime, as a program without asr-runtime loads it."""

from __future__ import annotations

from dataclasses import dataclass

from asr_bench.engines.backend import CTC_MODEL, Backend
from asr_bench.engines.engine import LoadedModel, installed_version, is_installed

#: Either of them is the module; see the extras of asr-runtime.
_BUILDS = ("onnxruntime", "onnxruntime-gpu")


def onnx_runtime_distribution() -> str:
    """Return the name of the installed build."""
    return next((name for name in _BUILDS if installed_version(name)), _BUILDS[0])


def cuda_missing(device: str) -> str | None:
    """Say why ``device`` is "cuda" and cannot be used; None if nothing is known against it."""
    if device == "cuda" and is_installed("onnxruntime"):
        import onnxruntime

        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            return "this onnxruntime is a build without CUDA (onnxruntime-gpu has it)"
    return None


@dataclass(frozen=True)
class OnnxRuntime(Backend):
    """``path`` is a ``.onnx`` or ``.ort`` file."""

    label = "ONNX Runtime"
    distributions = (onnx_runtime_distribution(),)
    modules = ("onnxruntime", CTC_MODEL)

    def unavailable_reason(self) -> str | None:
        """Say what is missing; what a build can do shows only when it is imported."""
        return cuda_missing(self.device) or super().unavailable_reason()

    def load(self, threads: int) -> LoadedModel:
        """Open a session with ONNX Runtime's defaults."""
        import onnxruntime

        from asr_bench.engines.ctc_model import ctc_model, feeds
        from asr_runtime.model_file.contract import LOG_PROBS, OUTPUT_LENGTHS

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        provider = "CPUExecutionProvider"
        if self.device == "cuda":
            provider = "CUDAExecutionProvider"
            onnxruntime.preload_dlls()  # where pip installed CUDA's libraries, no system path leads
        session = onnxruntime.InferenceSession(self.path, options, providers=[provider])
        if session.get_providers()[0] != provider:
            raise RuntimeError(f"{provider} could not be set up; it says why above")
        outputs = [LOG_PROBS, OUTPUT_LENGTHS]
        return ctc_model(lambda samples: session.run(outputs, feeds(samples)))
