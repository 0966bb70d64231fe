"""A small streaming model, a plan and a machine for tests of the benchmarks."""

import dataclasses
import functools
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from asr_bench.measuring.environment import Environment
from asr_bench.measuring.roofline import Roofline, matrix_products, memory_copy
from asr_bench.measuring.timing import Candidate
from asr_bench.results import Results, Settings
from asr_bench.runs.clips import Recording
from asr_bench.runs.machine_rates import MachineRates
from asr_bench.runs.normalization import Normalizer
from asr_bench.runs.plan import Plan, StreamSetting


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
def streaming_model(export_tiny: Callable[..., Path]) -> Path:
    """``tiny.onnx``, random weights, for whole recordings and for streams."""
    return export_tiny("tiny.onnx", chunking=(21, 11))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Two durations, one and two threads; the files are not there."""
    return Plan(
        settings=Settings((1.0, 5.0), (1, 2), (4,), 2, 1, True, 1, 2.0, "none"),
        clips={1.0: tmp_path / "short", 5.0: tmp_path / "long"},
        recordings=[Recording(tmp_path / "speech", 2.0, "one two many")],
        cold_starts=1,
        streams=[StreamSetting(640, 320)],
        stream_recordings=[Recording(tmp_path / "speech", 2.0, "one two many")],
        normalizer=Normalizer("none", str),
    )


@pytest.fixture(autouse=True)
def _small_rooflines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs measure the machine with small matrices and copies, because they do it often."""
    defaults = MachineRates.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "products", functools.partial(matrix_products, size=64))
    monkeypatch.setitem(defaults, "copies", functools.partial(memory_copy, size=1 << 20))


@pytest.fixture
def rates() -> MachineRates:
    """A machine that makes one of everything a second."""
    still = Roofline((Candidate("nothing", lambda: None),), 1e9)
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


@pytest.fixture(scope="session")
def quiet(simulate: Callable[..., Results], environment: Environment) -> Results:
    here = dataclasses.replace(environment, memory_bytes=8 << 30)
    return simulate(here, 1, spikes=0.0, noise=0.01)


@pytest.fixture(scope="session")
def quiet_again(simulate: Callable[..., Results], quiet: Results) -> Results:
    return simulate(quiet.environment, 2, spikes=0.0, noise=0.01)
