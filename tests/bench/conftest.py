"""A model small enough for tests, and a machine whose clock follows a script."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from asr_bench.full_run.clips import Recording
from asr_bench.full_run.machine_rates import MachineRates
from asr_bench.full_run.normalization import Normalizer
from asr_bench.full_run.run import Plan
from asr_bench.live.stream_recording import StreamSetting
from asr_bench.measuring.environment import Environment
from asr_bench.measuring.roofline import Roofline
from asr_bench.measuring.timing import Contender
from asr_bench.model_forms.latency import Cell, LatencySettings, measure_latency
from asr_bench.model_forms.subjects import EAGER, ONNX, Subject
from asr_bench.results import Results, Settings
from asr_export import ExportOptions, export
from asr_train.checkpoints.checkpoint import load_checkpoint
from asr_train.model.chunking import Chunking
from asr_train.model.config import ModelConfig


class ScriptedMachine:
    """A clock that only its own programs move, each by the next of its scripted seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []

    def clock(self) -> float:
        return self.now

    def program(self, name: str, seconds: Sequence[float]) -> Callable[..., object]:
        script: Iterator[float] = iter(seconds)

        def run(*_: object) -> tuple[np.ndarray, np.ndarray]:
            self.ran.append(name)
            self.now += next(script)
            return np.zeros(0, np.float32), np.zeros(0, np.int64)

        return run


@pytest.fixture
def machine() -> ScriptedMachine:
    return ScriptedMachine()


@pytest.fixture(scope="session")
def tiny() -> ModelConfig:
    return ModelConfig(
        n_mels=4,
        n_fft=16,
        hop_length=8,
        channels=2,
        residual_blocks=1,
        time_stride=2,
        mel_stride=2,
        rnn_dim=3,
        gru_hidden=5,
        gru_layers=2,
    )


@pytest.fixture
def subject(machine: ScriptedMachine, tiny: ModelConfig) -> Subject:
    """Eager takes 2 s and once, when the machine is slow, 8 s; ONNX always half of it."""
    backends = {
        EAGER: machine.program(EAGER, [100, 2, 2, 8]),
        ONNX: machine.program(ONNX, [100, 1, 1, 4]),
    }
    return Subject("tiny", tiny, 1000, "", {1: backends})


@pytest.fixture
def settings() -> LatencySettings:
    return LatencySettings(durations=(4.0,), threads=(1,), rounds=3, warmup=1)


@pytest.fixture
def cells(machine: ScriptedMachine, subject: Subject, settings: LatencySettings) -> list[Cell]:
    """The slow moment hits the matrix products, 10^9 operations each, as well."""
    peak = Roofline(
        (
            Contender("slow sgemm", machine.program("slow sgemm", [100, 0.2, 0.2, 0.8])),
            Contender("fast sgemm", machine.program("fast sgemm", [100, 0.1, 0.1, 0.4])),
        ),
        operations=1e9,
    )
    return measure_latency(
        subject,
        settings,
        roofline=lambda threads: peak,
        clock=machine.clock,
        settle=lambda: None,
    )


@pytest.fixture(scope="session")
def environment() -> Environment:
    return Environment(
        cpu="Abacus 3000",
        logical_cores=2,
        load_average=0.3,
        system="Linux x86_64",
        python="3.11.0",
        torch="2.11.0",
        onnxruntime="1.30.0",
        numpy="2.0.0",
        date="2026-01-02T03:04:05+00:00",
        command="asr-bench latency",
        commit=None,
    )


@pytest.fixture(scope="session")
def streaming_model(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``tiny.onnx``, random weights, for whole recordings and for streams."""
    path = tmp_path_factory.mktemp("streaming") / "tiny.onnx"
    export(load_checkpoint(tiny_checkpoint), path, ExportOptions(chunking=Chunking(21, 11)))
    return path


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Two durations, one and two threads; the files are not there."""
    return Plan(
        settings=Settings((1.0, 5.0), (1, 2), (4,), 2, 1, True, 1, 2.0, "none"),
        clips={1.0: tmp_path / "short", 5.0: tmp_path / "long"},
        recordings=[Recording(tmp_path / "speech", 2.0, "one two many")],
        cold_starts=1,
        streams=[StreamSetting(640, 320)],
        stream_recordings=[tmp_path / "speech"],
        normalizer=Normalizer("none", str),
    )


@pytest.fixture
def rates() -> MachineRates:
    """A machine that makes one of everything a second."""
    still = Roofline((Contender("nothing", lambda: None),), 1e9)
    ticks = iter(range(1000))
    return MachineRates(
        products=lambda threads: still, copies=lambda: still, clock=lambda: float(next(ticks))
    )


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a program of that name on the path that says something and exits with a status."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def write(says: str, status: int = 0) -> None:
        program = folder / "nvidia-smi"
        # Only the one question is answered.
        program.write_text(
            f"""#!{sys.executable}
import sys
if sys.argv[1:] == ["--query-compute-apps=pid,used_gpu_memory", "--format=csv,noheader,nounits"]:
    print({says!r}, end="")
sys.exit({status})
"""
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return write


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of that name, for the processes as well."""
    folder = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(folder)
    inherited = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (folder, inherited))))
    return importlib.import_module("fake_engine")


@pytest.fixture(scope="session")
def simulate() -> Callable[..., Results]:
    """``simulated_run.simulated_run``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        made: Callable[..., Results] = importlib.import_module("simulated_run").simulated_run
    return made
