"""The device asked for is the device used, or an error says which piece is missing.

Machines with every fault are imitated at the edges, by fixtures of conftest: ONNX Runtime's module,
the package metadata and the system's library loader.
"""

import os
import subprocess
import sys
import warnings

import onnxruntime
import pytest

from asr_runtime import DeviceError, DeviceWarning, ModelFileError, Recognizer

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


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
    libraries(cuda=libraries.driver(status=100))
    cuda_fails(model_file, "no usable GPU .CUDA error 100")


def test_old_driver(model_file, gpu_build, libraries):
    gpu_build("works")
    libraries(cuda=libraries.driver(version=12080))
    cuda_fails(model_file, "supports CUDA 12 and onnxruntime-gpu is built for CUDA 13")


def test_libraries_missing(model_file, gpu_build, libraries, monkeypatch, capsys):
    """ONNX Runtime then makes a session for the CPU, and says so only on standard output."""
    gpu_build("falls back")
    lost = OSError("libcudnn.so.9: cannot open shared object file: No such file or directory")
    libraries(providers_cuda=lost, libcuda=libraries.driver())
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
    libraries(cuda=libraries.driver())
    cuda_fails(model_file, "does not start .*nvidia-smi")


@pytest.mark.parametrize("kind", ["EPFail", "RuntimeError"])
def test_session_that_raises(model_file, gpu_build, libraries, kind):
    error = {"EPFail": gpu_build.ep_fail, "RuntimeError": RuntimeError}[kind]
    gpu_build(error("[ONNXRuntimeError] : 11 : EP_FAIL : CUDA failure 2: out of memory\nmore"))
    libraries(cuda=libraries.driver())
    cuda_fails(model_file, "CUDA failure 2: out of memory")
    auto_warns(model_file, "CUDA failure 2: out of memory")


def test_fault_that_shows_at_the_first_run(model_file, gpu_build, libraries):
    gpu_build("breaks at run")
    libraries(cuda=libraries.driver())
    cuda_fails(model_file, r"CUDA libraries are missing: libcudnn_graph\.so\.9; install CUDA 13")
    auto_warns(model_file, r"CUDA libraries are missing: libcudnn_graph\.so\.9")


def test_wrong_model_is_not_blamed_on_the_device(tmp_path, gpu_build, libraries, save_model):
    gpu_build("works")
    libraries(cuda=libraries.driver())
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
    libraries(cuda=libraries.driver())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recognizer = Recognizer.load(model_file, device=device)
    assert recognizer.provider == CUDA
    assert recognizer.transcribe(speak("hello"), 16000).text == "hello"
    [(providers, settings)] = asked
    assert providers == [(CUDA, {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}), CPU]
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


@pytest.mark.parametrize(("given", "found"), [(None, "1"), ("0", "0")])
def test_nothing_is_reported_to_anybody(given: str | None, found: str) -> None:
    environment = {key: value for key, value in os.environ.items() if "TELEMETRY" not in key}
    if given is not None:
        environment["ORT_DISABLE_TELEMETRY"] = given
    script = (
        "import os, sys\n"
        "from asr_runtime.inference.device import load_onnxruntime\n"
        "assert 'onnxruntime' not in sys.modules  # too late to tell it\n"
        "load_onnxruntime()\n"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert result.stdout.strip() == found
