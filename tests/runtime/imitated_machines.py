"""Fixtures that imitate machines: packages, libraries, drivers and builds of ONNX Runtime."""

import ctypes
from importlib import metadata
from pathlib import Path

import onnxruntime
import pytest

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture
def packages(monkeypatch, tmp_path):
    """Set which packages pip is said to have installed."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "onnxruntime").symlink_to(Path(onnxruntime.__file__).parent)
    monkeypatch.setattr(onnxruntime, "__file__", str(folder / "onnxruntime" / "__init__.py"))

    def install(*names):
        for each in folder.glob("*.dist-info"):
            each.rmdir()
        for name in names:
            (folder / f"{name.replace('-', '_')}-1.0.dist-info").mkdir()

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

    provide.driver = Driver
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

    behave.ep_fail = EPFail
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


@pytest.fixture
def cpu_build(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
