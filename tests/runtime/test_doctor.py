"""``asr-run --doctor`` on this machine's CPU, and on imitated machines with a GPU."""

import hashlib
import json
import platform
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import soundfile

from asr_runtime import DeviceError, Recognizer, __version__
from asr_runtime.command import cli, diagnosis
from asr_runtime.command.diagnosis import diagnose
from asr_runtime.readable_text.punctuation_card import FORMAT_VERSION


@pytest.fixture
def words(save_language_model):
    return save_language_model(["hello", "world"], ["hello world"] * 3)


@pytest.fixture
def examine(model_file, words):
    """Diagnose with the small models of these tests."""

    def run(device="auto", **files):
        return diagnose(device, **({"model": model_file, "language_model": words} | files))

    return run


def test_versions_and_models_of_a_working_machine(examine, model_file, words):
    found = examine("cpu")
    assert found.problems == []
    versions = found.facts["versions"]
    assert versions["asr_runtime"] == __version__
    assert versions["python"] == platform.python_version()
    assert versions["machine"] == platform.machine()
    assert versions["numpy"] == np.__version__
    assert versions["libsndfile"] == soundfile.__libsndfile_version__
    assert found.facts["onnxruntime"]["version"] == onnxruntime.__version__
    assert "CPUExecutionProvider" in found.facts["onnxruntime"]["providers"]
    assert found.facts["devices"]["cpu"].startswith("works")
    model = found.facts["model"]
    assert model["sha256"] == hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert model["provider"] == "CPUExecutionProvider"
    assert model["milliseconds_for_a_second_of_silence"] > 0
    language_model = found.facts["language_model"]
    assert language_model["sha256"] == hashlib.sha256(words.read_bytes()).hexdigest()
    assert (language_model["words"], language_model["order"]) == (2, 3)
    json.dumps(found.to_dict())


def test_punctuation_model(examine, punctuation_model_file, tmp_path, monkeypatch):
    def look(path):
        monkeypatch.setattr(diagnosis, "DEFAULT_PUNCTUATION_MODEL", path)
        found = examine("cpu")
        return found.facts["punctuation_model"], found.problems

    facts, problems = look(punctuation_model_file)
    assert problems == []
    digest = hashlib.sha256(punctuation_model_file.read_bytes()).hexdigest()
    assert (facts["state"], facts["sha256"]) == ("works", digest)
    assert facts["format_version"] == FORMAT_VERSION
    # Who does not want signs needs none.
    facts, problems = look(tmp_path / "none.onnx")
    assert problems == []
    assert facts["state"].startswith("not in this installation")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    facts, (problem,) = look(tmp_path / "bad.onnx")
    assert facts["state"] == "cannot be used"
    assert "bad.onnx" in problem


def cuda_reason(model_file):
    with pytest.raises(DeviceError) as caught:
        Recognizer.load(model_file, device="cuda")
    return str(caught.value)


@pytest.mark.usefixtures("cpu_build")
def test_cpu_build(examine, packages, model_file):
    packages("onnxruntime")
    assert examine("auto").problems == []
    found = examine("cuda")
    assert found.problems == [cuda_reason(model_file)]
    assert found.facts["devices"]["cuda"] == found.problems[0]
    assert found.facts["devices"]["auto_uses"] == "cpu"
    assert found.facts["model"]["provider"] == "CPUExecutionProvider"


def test_no_driver(examine, gpu_build, libraries, model_file):
    gpu_build("works")
    libraries()
    found = examine("cuda")
    assert found.problems == [cuda_reason(model_file)]
    assert "NVIDIA driver is missing" in found.problems[0]
    assert found.facts["devices"]["nvidia_driver_supports_cuda"] is None
    assert examine("auto").problems == []


def test_missing_libraries(examine, gpu_build, libraries, model_file, monkeypatch, capsys):
    gpu_build("falls back")
    lost = OSError("libcudnn.so.9: cannot open shared object file: No such file or directory")
    libraries(providers_cuda=lost, libcuda=libraries.driver(version=13010))
    monkeypatch.setattr(
        onnxruntime, "preload_dlls", lambda: print("Failed to load libcublasLt.so.13: no such")
    )
    found = examine("cuda")
    assert found.problems == [cuda_reason(model_file)]
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in found.problems[0]
    devices = found.facts["devices"]
    assert devices["nvidia_driver_supports_cuda"] == "13.1"
    assert devices["cuda_libraries_not_found"] == ["libcublasLt.so.13"]
    assert devices["auto_uses"] == "cpu"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_working_cuda(examine, gpu_build, libraries, device):
    gpu_build("works")
    libraries(cuda=libraries.driver())
    found = examine(device)
    assert found.problems == []
    assert found.facts["devices"]["cuda"] == "works"
    assert found.facts["devices"]["auto_uses"] == "cuda"
    assert found.facts["model"]["provider"] == "CUDAExecutionProvider"
    assert found.facts["onnxruntime"]["built_for_cuda"] == "13.0"
    assert examine("cpu").facts["model"]["provider"] == "CPUExecutionProvider"


def test_no_onnxruntime(examine, monkeypatch):
    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(sys, "path", [])
    found = examine()
    assert len(found.problems) == 1
    assert "onnxruntime is not installed" in found.problems[0]
    assert found.facts["versions"]["numpy"] == np.__version__


def test_no_libsndfile(examine, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    [problem] = examine("cpu").problems
    assert "pip install soundfile" in problem


def test_damaged_files_are_named_once(examine, tmp_path):
    path = tmp_path / "broken"
    path.write_bytes(b"nothing of ours")
    for device in ("auto", "cpu"):
        [first, second] = examine(device, model=path, language_model=path).problems
        assert first.startswith(f"{path}: is not an ONNX model")
        assert second.startswith(f"{path}: is not a language model")
    [absent] = examine("cpu", model=tmp_path / "none.onnx").problems
    assert "there is no such model file" in absent


def test_unknown_device(examine):
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        examine("tpu")


class TestCommand:
    @pytest.fixture
    def asr_run(self, run_command_line, model_file, words):
        def run(*arguments):
            files = ("--model", model_file, "--language-model", words)
            return run_command_line(cli.main, "--doctor", *files, *arguments)

        return run

    def test_text(self, asr_run):
        status, output, errors = asr_run()
        assert (status, errors) == (0, "")
        assert f"asr runtime: {__version__}\n" in output
        assert "auto uses: cpu\n" in output
        assert "problems" not in output

    @pytest.mark.usefixtures("cpu_build")
    def test_device_that_cannot_work(self, asr_run, model_file):
        status, output, errors = asr_run("--device", "cuda", "--format", "json")
        assert status == 1
        assert errors == f"asr-run: {cuda_reason(model_file)}\n"
        assert json.loads(output)["problems"] == [cuda_reason(model_file)]

    def test_a_file_is_too_much(self, asr_run):
        status, output, errors = asr_run("a.wav")
        assert (status, output) == (2, "")
        assert "--doctor takes no FILE" in errors

    def test_defaults_are_the_models_in_the_package(self, run_command_line, monkeypatch, tmp_path):
        monkeypatch.setattr(diagnosis, "DEFAULT_MODEL", tmp_path / "edge.onnx")
        monkeypatch.setattr(diagnosis, "DEFAULT_LANGUAGE_MODEL", tmp_path / "english.lm")
        status, output, errors = run_command_line(cli.main, "--doctor")
        assert status == 1
        assert errors.count("\n") == 2
        assert str(tmp_path / "edge.onnx") in output
        assert str(tmp_path / "english.lm") in output

    def test_as_a_process(self, model_file, words):
        command = [sys.executable, "-m", "asr_runtime", "--doctor", "--model", str(model_file)]
        done = subprocess.run(
            [*command, "--language-model", str(words), "--device", "cpu"],
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        assert done.stdout.count(b"sha256") == 3
