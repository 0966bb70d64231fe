"""Opening a model file on a device."""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from asr_runtime.errors import AsrRuntimeError, DeviceError, DeviceWarning, ModelFileError
from asr_runtime.inference import device as devices
from asr_runtime.inference.model_session import NOT_A_MODEL, ModelSession
from asr_runtime.model_file.model_bytes import is_ort_format, read_model_bytes

__all__ = ["ModelSession", "load_session", "return_freed_memory"]

# It would expand the int8 weights, which takes longer than expanding them in twenty runs, and five
# times the memory while it lasts.
_SLOW_TO_OPEN = ["ConstantFolding"]


def return_freed_memory() -> None:
    """Ask the C library to give freed memory back to the system, where it can (glibc).

    ONNX Runtime expands and rearranges the weights when it opens a model, and frees several times
    their size; what is used later finds other places often enough.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return


def load_session(path: Path, *, device: str = "auto", threads: int | None = None) -> ModelSession:
    """Load a model file onto a device.

    Args:
        path: The model file.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where it works and the CPU otherwise.
        threads: CPU threads, None for one on each CPU that the process may use.

    Returns:
        The model.

    Raises:
        ModelFileError: The file is no model of ours.
        DeviceError: The device cannot be used.

    Warns:
        DeviceWarning: ``"auto"`` found a CUDA build of ONNX Runtime that does not work.
    """
    if device not in devices.DEVICES:
        raise DeviceError(f"there is no device {device!r}; choose auto, cpu or cuda")
    if threads is not None and threads < 1:
        raise DeviceError(f"{threads} threads are too few; give 1 or more, or none for all CPUs")
    onnxruntime = devices.load_onnxruntime()
    content = read_model_bytes(path)
    options = devices.quiet_options(onnxruntime, threads)
    if device == "cuda" or (device == "auto" and devices.expects_cuda(onnxruntime)):
        model = _load_on_cuda(onnxruntime, path, content, options)
        if isinstance(model, ModelSession):
            return model
        if device == "cuda":
            raise DeviceError(f"CUDA cannot be used: {model}")
        warnings.warn(f"using the CPU, because {model}", DeviceWarning, stacklevel=3)
    return _load_on_cpu(onnxruntime, path, content, options)


def _load_on_cpu(onnxruntime: Any, path: Path, content: bytes, options: Any) -> ModelSession:
    def create(left_out: list[str]) -> Any:
        return _create(onnxruntime, content, options, [devices.CPU_PROVIDER], left_out)

    # A file of ONNX Runtime's own format has been optimised before.
    twice = not is_ort_format(content)
    try:
        session = create(_SLOW_TO_OPEN if twice else [])
    except Exception as error:
        if not devices.is_onnxruntime_error(error):
            raise
        if type(error).__name__ == "InvalidProtobuf":
            raise ModelFileError(NOT_A_MODEL, str(path)) from None
        problem = (
            f"cannot be loaded by onnxruntime {onnxruntime.__version__} "
            f"({devices.clean_message(error)}); upgrade onnxruntime or export the model again"
        )
        raise ModelFileError(problem, str(path)) from None
    return ModelSession(session, path, optimized=_Later(lambda: create([])) if twice else None)


def _load_on_cuda(onnxruntime: Any, path: Path, content: bytes, options: Any) -> ModelSession | str:
    """Return the model on CUDA, proven to run there, or why that does not work."""
    obstacle = devices.cuda_obstacle(onnxruntime)
    if obstacle is not None:
        return obstacle
    missing = devices.preload_cuda_libraries(onnxruntime)
    cause: Exception | None = None
    try:
        providers = [(devices.CUDA_PROVIDER, devices.CUDA_OPTIONS), devices.CPU_PROVIDER]
        session = _create(onnxruntime, content, options, providers, [])
        if session.get_providers()[0] == devices.CUDA_PROVIDER:
            model = ModelSession(session, path)
            # A missing cuDNN part shows at the first convolution only. This also takes the slow
            # first run off the first utterance.
            model.run([np.zeros(model.card.sample_rate, np.float32)])
            return model
    except AsrRuntimeError as error:
        if error.__cause__ is None:
            raise  # the model is wrong on any device
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    except Exception as error:
        if not devices.is_onnxruntime_error(error):
            raise
        # The device or the model? If it is the model, this says so.
        _load_on_cpu(onnxruntime, path, content, options)
        cause = error
    return devices.cuda_failure(onnxruntime, missing, cause)


def _create(
    onnxruntime: Any, content: bytes, options: Any, providers: list[Any], left_out: list[str]
) -> Any:
    # Its own fallback would retry on the CPU, here and at every later run, and print to standard
    # output.
    session = onnxruntime.InferenceSession(
        content,
        options,
        providers=providers,
        enable_fallback=0,
        disabled_optimizers=left_out or None,
    )
    # Kept for that fallback alone: the whole file a second time, for as long as the session lives.
    session._model_bytes = None
    return session


class _Later:
    """A session that is opened when it is first asked for."""

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create: Callable[[], Any] | None = create
        self._session: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        with self._lock:
            if self._create is not None:
                self._session = self._create()
                self._create = None  # and with it the file's bytes
                return_freed_memory()
            return self._session
