"""Which ONNX Runtime is installed, whether its CUDA provider can work, and if not, what is missing.

ONNX Runtime itself falls back to the CPU without an error when CUDA does not work, with the reason
in a log line at most. Nothing here or in `session` lets that happen unseen.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import re
import sys
from pathlib import Path
from typing import Any

from asr_runtime.errors import DeviceError
from asr_runtime.inference.cpus import session_threads

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
DEVICES = ("auto", "cpu", "cuda")

# The default search times every algorithm of every convolution again for each new input length.
# By default float32 convolutions and products round their inputs to TF32's 10 bits on newer GPUs.
CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}

_FATAL_ONLY = 4
_CPU_PACKAGE = "onnxruntime"
_GPU_PACKAGE = "onnxruntime-gpu"
_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_LIBRARY = re.compile(r"[\w.+-]+\.(?:so(?:\.\d+)*|dll)")


def load_onnxruntime() -> Any:
    """Import onnxruntime, told to keep its log, and what it is used for, to itself.

    Returns:
        The module.

    Raises:
        DeviceError: It is missing or broken.
    """
    try:
        import onnxruntime  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        raise DeviceError(
            "onnxruntime is not installed; pip install 'asr-runtime[cpu]', "
            "or 'asr-runtime[gpu]' for a CUDA GPU"
        ) from None
    except ImportError as error:
        raise DeviceError(
            f"onnxruntime cannot be imported ({_first_line(error)}); pip install it again"
        ) from None
    if not hasattr(onnxruntime, "InferenceSession"):
        # What uninstalling one of the two packages leaves of the module that both own.
        raise DeviceError(f"onnxruntime is incomplete; {_reinstall()}")
    onnxruntime.set_default_logger_severity(_FATAL_ONLY)
    if os.environ.get("ORT_DISABLE_TELEMETRY") == "1" and hasattr(
        onnxruntime, "disable_telemetry_events"
    ):
        # An application may have imported it before this package was there to tell it.
        onnxruntime.disable_telemetry_events()
    return onnxruntime


def quiet_options(onnxruntime: Any, threads: int | None) -> Any:
    """Return session options without a log.

    Args:
        onnxruntime: The module.
        threads: CPU threads within an operator, None for one on each CPU that the process may use.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.inter_op_num_threads = 1
    # It would keep a plan of the memory for every length of audio ever met, and add a third to the
    # peak, for no time that could be measured.
    options.enable_mem_pattern = False
    options.intra_op_num_threads = session_threads(threads)
    return options


def run_and_return_memory(session: Any, outputs: list[str], feeds: dict[str, Any]) -> Any:
    """Run a session on the CPU, and have it give its working memory back.

    Otherwise it keeps as much as the longest audio has needed, while the search needs some as well.

    Args:
        session: The session.
        outputs: Names of the outputs.
        feeds: Inputs by name.

    Returns:
        What its ``run`` returns.
    """
    options = load_onnxruntime().RunOptions()
    options.log_severity_level = _FATAL_ONLY
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        return session.run(outputs, feeds, options)
    except Exception as error:
        # A build for 32 bits keeps no memory, and refuses to return it before it runs anything.
        if type(error).__name__ != "InvalidArgument":
            raise
    return session.run(outputs, feeds)


def expects_cuda(onnxruntime: Any) -> bool:
    """Tell whether the user has installed ONNX Runtime for CUDA, whether or not it works."""
    return CUDA_PROVIDER in onnxruntime.get_available_providers() or _installed(
        onnxruntime, _GPU_PACKAGE
    )


def cuda_obstacle(onnxruntime: Any) -> str | None:
    """Return what is known to keep CUDA from working before a session tries it, or None."""
    if CUDA_PROVIDER not in onnxruntime.get_available_providers():
        if all(_installed(onnxruntime, each) for each in (_CPU_PACKAGE, _GPU_PACKAGE)):
            return (
                f"both {_CPU_PACKAGE} and {_GPU_PACKAGE} are installed, which own the same module; "
                f"{_reinstall()}"
            )
        return (
            "the installed onnxruntime is built without CUDA; "
            "pip uninstall onnxruntime, then pip install 'asr-runtime[gpu]'"
        )
    return _driver_obstacle(onnxruntime)


def packages() -> dict[str, str]:
    """Return versions of the installed packages that bring the onnxruntime module, by name."""
    from importlib import metadata

    found = {}
    for package in (_CPU_PACKAGE, _GPU_PACKAGE):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def cuda_driver() -> str | None:
    """Return the newest CUDA version that the NVIDIA driver supports, such as ``13.0``.

    Returns:
        The version, or None without a driver.
    """
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return None
    supported = _supported_cuda(driver)
    return f"{supported // 1000}.{supported % 1000 // 10}" if supported else None


def preload_cuda_libraries(onnxruntime: Any) -> list[str]:
    """Load CUDA and cuDNN from where pip puts them; the names of those not found anywhere."""
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is None:
        return []
    # It reports by printing to standard output, where the transcript goes.
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        preload()
    missing = (
        _LIBRARY.search(line) for line in said.getvalue().splitlines() if line.startswith("Failed")
    )
    return list(dict.fromkeys(found[0] for found in missing if found))


def cuda_failure(onnxruntime: Any, missing: list[str], error: Exception | None) -> str:
    """Why a session did not get CUDA though the provider and a driver are there.

    missing: what `preload_cuda_libraries` did not find. error: what the session raised, if it did.
    """
    loader_says = _provider_library_error(onnxruntime)
    # The loader names only the first; without its word, what was not found was not needed either.
    lost = [*_missing_in(loader_says), *missing] if loader_says else _missing_in(str(error or ""))
    if lost:
        version = getattr(onnxruntime, "cuda_version", "")
        needs = f"CUDA {version.split('.')[0]} and cuDNN" if version else "CUDA and cuDNN"
        return (
            f"CUDA libraries are missing: {', '.join(dict.fromkeys(lost))}; install {needs}, "
            "for example with: pip install 'onnxruntime-gpu[cuda,cudnn]'"
        )
    reason = _first_line(error) if error else "onnxruntime gives no reason"
    return f"the CUDA provider does not start ({reason}); check the GPU with nvidia-smi"


def is_onnxruntime_error(error: Exception) -> bool:
    """Does an exception from a call of ONNX Runtime come from it, and not from a bug on the way?

    Its own exceptions have no common base; what its C++ does not translate arrives as the others.
    """
    return type(error).__module__.startswith("onnxruntime") or isinstance(
        # The last where its message quotes a file that is no text.
        error,
        (RuntimeError, MemoryError, UnicodeDecodeError),
    )


def clean_message(error: Exception) -> str:
    """An ONNX Runtime error on one line without its codes."""
    if isinstance(error, UnicodeDecodeError):
        return "its message is not text"
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", _first_line(error))


def _driver_obstacle(onnxruntime: Any) -> str | None:
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return (
            f"the NVIDIA driver is missing ({_DRIVER} cannot be loaded); install it, "
            "and give containers access to the GPU"
        )
    status = int(driver.cuInit(0))
    if status != 0:
        return (
            f"the NVIDIA driver finds no usable GPU (CUDA error {status}); check it with nvidia-smi"
        )
    built_for = str(getattr(onnxruntime, "cuda_version", "")).split(".")[0]
    supported = _supported_cuda(driver) // 1000
    if built_for.isdigit() and 0 < supported < int(built_for):
        return (
            f"the NVIDIA driver supports CUDA {supported} and onnxruntime-gpu is built for "
            f"CUDA {built_for}; upgrade the driver"
        )
    return None


def _supported_cuda(driver: Any) -> int:
    """1000 * major + 10 * minor, or 0 if the driver does not say."""
    version = ctypes.c_int(0)
    return version.value if driver.cuDriverGetVersion(ctypes.byref(version)) == 0 else 0


def _provider_library_error(onnxruntime: Any) -> str:
    """The system loader's word on the provider's library.

    Only to be asked after a session has failed: loading the library ahead of ONNX Runtime would
    initialise it without its host.
    """
    folder = Path(onnxruntime.__file__).parent / "capi"
    windows = sys.platform == "win32"
    name = "onnxruntime_providers_cuda.dll" if windows else "libonnxruntime_providers_cuda.so"
    try:
        ctypes.CDLL(str(folder / name))
    except OSError as error:
        return str(error)
    return ""


def _missing_in(message: str) -> list[str]:
    """The libraries that a loader's message says it did not find; never the provider's own."""
    lost = re.findall(rf"({_LIBRARY.pattern}): cannot open shared object file", message)
    lost += re.findall(rf"[Cc]ould not (?:load|locate)[^.]*?({_LIBRARY.pattern})", message)
    return [name for name in dict.fromkeys(lost) if "onnxruntime" not in name]


def _reinstall() -> str:
    return (
        f"pip uninstall {_CPU_PACKAGE} {_GPU_PACKAGE}, "
        "then pip install either 'asr-runtime[cpu]' or 'asr-runtime[gpu]'"
    )


def _installed(onnxruntime: Any, package: str) -> bool:
    """Tell whether a package that brings the module onnxruntime is installed where that is."""
    # importlib.metadata says the same, and takes 15 ms to import.
    folder = Path(onnxruntime.__file__).parent.parent
    return any(folder.glob(f"{package.replace('-', '_')}-*-info"))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = lines[0].strip()
    return line if len(line) <= 200 else f"{line[:197]}..."
