"""The device asked for is the device used, or an error says which piece is missing.

Machines with every fault are imitated at the edges: ONNX Runtime's module, the package metadata and
the system's library loader.
"""

import ctypes
import sys
import warnings
from importlib import metadata

import onnxruntime
import pytest

from asr_runtime import DeviceError, DeviceWarning, ModelFileError, Recognizer

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture
def packages(monkeypatch):
    """Set which packages pip is said to have installed."""

    def install(*names):
        def version(name):
            if name in names:
                return "1.0"
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)

    return install


@pytest.fixture
def libraries(monkeypatch):
    """Set which libraries the loader finds: a name's part to the library, or to its error."""

    def provide(**known):
        def load(name):
            for part, library in known.items():
                if part in name:
                    if isinstance(library, OSError):
                        raise library
                    return library
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")

        monkeypatch.setattr(ctypes, "CDLL", load)

    return provide


@pytest.fixture
def gpu_build(monkeypatch, packages):
    """An ONNX Runtime built for CUDA 13. Returns a way to set what happens to its sessions."""
    packages("onnxruntime-gpu")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "cuda_version", "13.0", raising=False)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    real = onnxruntime.InferenceSession
    asked = []

    def behave(cuda):
        def create(path, options, providers, **settings):
            names = [item if isinstance(item, str) else item[0] for item in providers]
            asked.append((providers, settings))
            if names[0] == CUDA and isinstance(cuda, Exception):
                raise cuda
            session = real(path, options, providers=[CPU], **settings)
            if names[0] == CUDA and cuda != "falls back":
                session.get_providers = lambda: [CUDA, CPU]
            if names[0] == CUDA and cuda == "breaks at run":
                session.run = broken_run
            return session

        monkeypatch.setattr(onnxruntime, "InferenceSession", create)
        return asked

    return behave


class EPFail(RuntimeError):  # noqa: N818 - its name there
    """As ONNX Runtime's own error of that name."""

    __module__ = "onnxruntime.capi.onnxruntime_pybind11_state"


def broken_run(*arguments):
    raise EPFail(
        "[ONNXRuntimeError] : 11 : EP_FAIL : Could not load library libcudnn_graph.so.9\nmore"
    )


class Driver:
    """An NVIDIA driver that starts with `status` and supports CUDA `version`."""

    def __init__(self, status=0, version=13000):
        self.status, self.version = status, version

    def cuInit(self, flags):  # noqa: N802 - the driver's own name
        return self.status

    def cuDriverGetVersion(self, pointer):  # noqa: N802
        pointer._obj.value = self.version
        return 0


def cuda_fails(model_file, problem):
    with pytest.raises(DeviceError, match=problem) as caught:
        Recognizer.load(model_file, device="cuda")
    assert "\n" not in str(caught.value)
    assert caught.value.subject is None


def auto_warns(model_file, problem):
    with pytest.warns(DeviceWarning, match=problem) as caught:
        recognizer = Recognizer.load(model_file, device="auto")
    assert recognizer.provider == CPU
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.fixture
def cpu_build(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])


@pytest.mark.usefixtures("cpu_build")
def test_cpu_build(model_file, packages):
    packages("onnxruntime")
    cuda_fails(model_file, r"pip uninstall onnxruntime, then pip install 'asr-runtime\[gpu\]'")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Recognizer.load(model_file).provider == CPU


@pytest.mark.usefixtures("cpu_build")
def test_both_packages(model_file, packages):
    packages("onnxruntime", "onnxruntime-gpu")
    cuda_fails(model_file, "both onnxruntime and onnxruntime-gpu are installed")
    auto_warns(model_file, "both onnxruntime and onnxruntime-gpu are installed")


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda"])
def test_no_onnxruntime(model_file, monkeypatch, device):
    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DeviceError, match=r"not installed; pip install 'asr-runtime\[cpu\]'"):
        Recognizer.load(model_file, device=device)


def test_rest_of_an_uninstalled_package(model_file, monkeypatch):
    monkeypatch.delattr(onnxruntime, "InferenceSession")
    with pytest.raises(DeviceError, match="incomplete; pip uninstall onnxruntime onnxruntime-gpu"):
        Recognizer.load(model_file)


def test_no_driver(model_file, gpu_build, libraries):
    gpu_build("works")
    libraries()
    cuda_fails(model_file, "NVIDIA driver is missing")
    auto_warns(model_file, "NVIDIA driver is missing")


def test_driver_without_gpu(model_file, gpu_build, libraries):
    gpu_build("works")
    libraries(cuda=Driver(status=100))
    cuda_fails(model_file, "no usable GPU .CUDA error 100")


def test_old_driver(model_file, gpu_build, libraries):
    gpu_build("works")
    libraries(cuda=Driver(version=12080))
    cuda_fails(model_file, "supports CUDA 12 and onnxruntime-gpu is built for CUDA 13")


def test_libraries_missing(model_file, gpu_build, libraries, monkeypatch, capsys):
    """ONNX Runtime then makes a session for the CPU, and says so only on standard output."""
    gpu_build("falls back")
    lost = OSError("libcudnn.so.9: cannot open shared object file: No such file or directory")
    libraries(providers_cuda=lost, libcuda=Driver())
    monkeypatch.setattr(
        onnxruntime,
        "preload_dlls",
        lambda: print("Failed to load libcublasLt.so.13: libcublasLt.so.13: cannot open\nPlease"),
    )
    problem = r"missing: libcudnn\.so\.9, libcublasLt\.so\.13; install CUDA 13 and cuDNN"
    cuda_fails(model_file, problem)
    auto_warns(model_file, problem)
    assert capsys.readouterr().out == ""


def test_silent_fallback_is_noticed(model_file, gpu_build, libraries):
    gpu_build("falls back")
    libraries(cuda=Driver())
    cuda_fails(model_file, "does not start .*nvidia-smi")


@pytest.mark.parametrize("kind", ["EPFail", "RuntimeError"])
def test_session_that_raises(model_file, gpu_build, libraries, kind):
    error = {"EPFail": EPFail, "RuntimeError": RuntimeError}[kind]
    gpu_build(error("[ONNXRuntimeError] : 11 : EP_FAIL : CUDA failure 2: out of memory\nmore"))
    libraries(cuda=Driver())
    cuda_fails(model_file, "CUDA failure 2: out of memory")
    auto_warns(model_file, "CUDA failure 2: out of memory")


def test_fault_that_shows_at_the_first_run(model_file, gpu_build, libraries):
    gpu_build("breaks at run")
    libraries(cuda=Driver())
    cuda_fails(model_file, r"CUDA libraries are missing: libcudnn_graph\.so\.9; install CUDA 13")
    auto_warns(model_file, r"CUDA libraries are missing: libcudnn_graph\.so\.9")


def test_wrong_model_is_not_blamed_on_the_device(tmp_path, gpu_build, libraries, save_model):
    gpu_build("works")
    libraries(cuda=Driver())
    path = tmp_path / "a.onnx"
    path.write_bytes(b"\x01\x02\x03" * 500)
    for device in ("cuda", "auto"):
        with pytest.raises(ModelFileError):
            Recognizer.load(path, device=device)
        with pytest.raises(ModelFileError, match="without a model card"):
            Recognizer.load(save_model(card=None), device=device)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_working_cuda_is_used(model_file, gpu_build, libraries, speak, device):
    asked = gpu_build("works")
    libraries(cuda=Driver())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recognizer = Recognizer.load(model_file, device=device)
    assert recognizer.provider == CUDA
    assert recognizer.transcribe(speak("hello"), 16000).text == "hello"
    [(providers, settings)] = asked
    assert providers == [(CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), CPU]
    assert settings["enable_fallback"] == 0


def test_cpu_ignores_a_gpu(model_file, gpu_build):
    asked = gpu_build("works")
    assert Recognizer.load(model_file, device="cpu").provider == CPU
    assert asked[0][0] == [CPU]


def test_unknown_device(model_file):
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        Recognizer.load(model_file, device="tpu")


@pytest.mark.parametrize("threads", [0, -2])
def test_too_few_threads(model_file, threads):
    with pytest.raises(DeviceError, match="threads"):
        Recognizer.load(model_file, device="cpu", threads=threads)


def test_threads_reach_the_session(model_file):
    recognizer = Recognizer.load(model_file, device="cpu", threads=2)
    options = recognizer._session._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
