"""One engine in its process: what it answers, and what becomes of one that does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from asr_bench.engines.asr_run import AsrRun
from asr_bench.engines.engine import Engine, build, describe
from asr_bench.engines.engine_process import EngineFailureError, EngineProcess
from asr_bench.engines.onnx_runtime import OnnxRuntime
from asr_bench.engines.torch_engines import TorchEager
from asr_runtime import Recognizer

LIMIT = 60.0


@pytest.fixture
def clip(tmp_path: Path, speech: np.ndarray) -> Path:
    path = tmp_path / "clip.npy"
    np.save(path, speech)
    return path


@pytest.fixture
def speech() -> np.ndarray:
    return np.random.default_rng(2).standard_normal(16_000).astype(np.float32) / 10


@pytest.mark.parametrize("kind", ["asr-run", "ONNX Runtime", "torch eager"])
def test_a_real_model(
    kind: str, streaming_model: Path, tiny_checkpoint: Path, clip: Path, speech: np.ndarray
) -> None:
    engines: dict[str, Engine] = {
        "asr-run": AsrRun("tiny", str(streaming_model), "fp32", "greedy", streaming=True),
        "ONNX Runtime": OnnxRuntime("tiny", str(streaming_model), "fp32"),
        "torch eager": TorchEager("tiny", str(tiny_checkpoint)),
    }
    engine = engines[kind]
    assert engine.unavailable_reason() is None
    wanted = Recognizer.load(streaming_model, device="cpu", threads=1, decoder="greedy")
    process = EngineProcess(engine, 1, LIMIT)
    try:
        text, timing = process.transcribe(clip)
        assert text == wanted.transcribe(speech, 16_000).text
        assert len(text) > 3
        assert timing.wall > 0
        assert timing.cpu > 0
        assert process.import_seconds > 0
        assert process.load_seconds > 0
        assert process.peak_memory() > 20e6
        if engine.takes_batches:
            assert process.transcribe_batch(clip, 3).wall > 0
        if engine.streams:
            # A second is 33 frames; the first chunk needs 21 and 11 of look-ahead.
            stream = process.stream(clip, 21 * 30, 11 * 30)
            assert len(stream.chunk_seconds) == 1
            assert stream.finish_seconds > 0
            assert stream.latency == pytest.approx(32 * 0.03)
        if engine.gives_log_probs:
            assert process.log_probs(clip, clip.with_name("out.npy")).wall > 0
            log_probs = np.load(clip.with_name("out.npy"))
            assert log_probs.shape[1] == 29
            np.testing.assert_allclose(np.exp(log_probs).sum(1), 1, atol=1e-4)
    finally:
        process.close()


def test_what_goes_to_the_process(fake_engine: ModuleType) -> None:
    engine = fake_engine.FakeEngine("sleeps")
    assert build(describe(engine)) == engine


def test_sleeping_takes_time_but_no_cpu_and_working_takes_both(
    fake_engine: ModuleType, clip: Path
) -> None:
    for behaviour in ("sleeps", "works"):
        process = EngineProcess(fake_engine.FakeEngine(behaviour), 2, LIMIT)
        text, _ = process.transcribe(clip)
        _, timing = process.transcribe(clip)  # the threads of numpy's start are idle by now
        process.close()
        assert text == "16000 samples, 2 threads, 2"
        assert timing.wall >= 0.1
        assert timing.cpu < timing.wall if behaviour == "sleeps" else timing.cpu >= 0.1
        assert process.load_seconds >= 0.05


def test_the_number_is_that_of_the_process(fake_engine: ModuleType, clip: Path) -> None:
    process = EngineProcess(fake_engine.FakeEngine("tells its number"), 1, LIMIT)
    text, _ = process.transcribe(clip)
    process.close()
    assert text == str(process.pid)


def test_sources_are_compiled_once_whatever_the_environment_says(
    fake_engine: ModuleType, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    process = EngineProcess(fake_engine.FakeEngine("tells whether it keeps bytecode"), 1, LIMIT)
    text, _ = process.transcribe(clip)
    process.close()
    assert text == "True"


def test_what_an_engine_prints_is_no_answer(fake_engine: ModuleType, clip: Path) -> None:
    process = EngineProcess(fake_engine.FakeEngine("prints"), 1, LIMIT)
    for _ in range(2):
        assert process.transcribe(clip)[0] == "16000 samples, 1 threads, 1"
    process.close()


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("broken model", "ended with code 1: ValueError: the model is broken"),
        ("dies", "the process that runs fake dies ended with code 3: about to die"),
        ("raises", "ended with code 1: RuntimeError: no words today"),
        ("is killed", "was killed by signal 9; does the memory suffice"),
    ],
)
def test_one_that_fails_says_why(
    fake_engine: ModuleType, clip: Path, behaviour: str, message: str
) -> None:
    with pytest.raises(EngineFailureError) as error:
        EngineProcess(fake_engine.FakeEngine(behaviour), 1, LIMIT).transcribe(clip)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_one_that_hangs_is_ended(
    fake_engine: ModuleType, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = EngineProcess(fake_engine.FakeEngine("hangs"), 1, LIMIT)
    monkeypatch.setattr(process, "_time_limit", 0.2)
    with pytest.raises(EngineFailureError, match=r"did not answer within 0\.2 s"):
        process.transcribe(clip)
    assert process._process.wait(LIMIT) < 0
    process.close()


def test_an_engine_that_is_not_there_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = OnnxRuntime("tiny", str(tmp_path / "none.onnx"), "fp32")
    assert engine.unavailable_reason() == f"{tmp_path / 'none.onnx'} does not exist"
    monkeypatch.setattr(OnnxRuntime, "modules", ("nothing_of_this_name",))
    monkeypatch.setattr(OnnxRuntime, "distributions", ("nothing-of-this-name",))
    assert engine.unavailable_reason() == (
        "nothing-of-this-name is not installed (pip install nothing-of-this-name)"
    )
    assert engine.version() == ""


def test_no_adapter_imports_its_engine_before_it_is_asked(
    run_python: Callable[[str], list[str]],
) -> None:
    loaded = run_python(
        "import sys, importlib\n"
        "for name in ('asr_run', 'onnx_runtime', 'torch_engines', 'openvino_model',"
        " 'faster_whisper', 'pocketsphinx', 'onnx_asr', 'sherpa_onnx',"
        " 'vosk', 'whisper_cpp', 'worker', 'engine'):\n"
        "    importlib.import_module('asr_bench.engines.' + name)\n"
        "print(*sys.modules)"
    )
    assert "asr_bench.engines.worker" in loaded
    assert not {"numpy", "torch", "onnx", "onnxruntime", "asr_export", "typer"} & set(loaded)


@pytest.fixture
def run_python() -> Callable[[str], list[str]]:
    import subprocess

    def run(program: str) -> list[str]:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    return run
