"""The whole of a run: in which order engines work, what becomes of one that fails, the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from asr_bench import cli
from asr_bench.engines.engine import Engine
from asr_bench.engines.engine_process import EngineFailureError, EngineProcess, Timing
from asr_bench.engines.pool import EnginePool
from asr_bench.engines.timed_stream import TimedStream
from asr_bench.results_file import read_results
from asr_bench.runs.machine_rates import MachineRates
from asr_bench.runs.measure import measure
from asr_bench.runs.plan import Measurements, Plan

LIMIT = 60.0


class ScriptedProcess:
    """Writes down what it is asked; the second of them takes twice as long; "ill" fails."""

    log: list[str] = []  # noqa: RUF012 - over all of them

    def __init__(self, engine: Engine, threads: int) -> None:
        self.name, self.threads = engine.name.partition(" ")[0], threads
        self.import_seconds, self.load_seconds, self.started = 0.25, 0.5, 0.0
        self.asked = 0
        self.pid = 100 * threads + ord(self.name[0])

    def transcribe(self, audio: Path) -> tuple[str, Timing]:
        self.asked += 1
        if self.name == "ill" and self.asked == 3:
            raise EngineFailureError("the process that runs ill ended with code 1: no more")
        self.log.append(f"{self.name}{self.threads} {audio.stem}")
        factor = 2 if self.name == "b" else 1
        return "one too few", Timing(factor * self.asked, 10 * factor * self.asked)

    def transcribe_batch(self, audio: Path, size: int) -> Timing:
        return Timing(size, size)

    def stream(self, audio: Path, chunk_ms: float, _: float) -> TimedStream:
        return TimedStream("one two", 0.9, (chunk_ms,) * 2, 0.5)

    def peak_memory(self) -> int:
        return 1000 * self.asked

    def close(self) -> None:
        self.log.append(f"{self.name}{self.threads} ends")


Run = Callable[..., tuple[Measurements, EnginePool, list[str]]]


@pytest.fixture
def run(fake_engine: ModuleType, plan: Plan, rates: MachineRates) -> Run:
    def run(*names: str) -> tuple[Measurements, EnginePool, list[str]]:
        ScriptedProcess.log = []
        steps: list[None] = []
        engines = [fake_engine.FakeEngine("sleeps", name) for name in names]
        pool = EnginePool(engines, ScriptedProcess, lambda: steps.append(None))  # type: ignore[arg-type]
        found = Measurements()
        measure(plan, pool, rates, found)
        assert len(steps) == plan.runs(engines)
        return found, pool, ScriptedProcess.log

    return run


def test_engines_take_turns_in_every_round_and_only_one_works(run: Run) -> None:
    _, _, log = run("a", "b")
    # Cold starts one by one; the first of each does not count.
    cold = [*("b1 long", "b1 ends", "a1 long", "a1 ends"), *("a1 long", "a1 ends")]
    assert log[:8] == [*cold, "b1 long", "b1 ends"]
    one_thread = log[8:]
    assert one_thread[:12] == [
        *("b1 short", "a1 short"),  # warm-up: round -1 begins with the last
        *("a1 short", "b1 short"),
        *("b1 short", "a1 short"),
        *("b1 long", "a1 long"),
        *("a1 long", "b1 long"),
        *("b1 long", "a1 long"),
    ]


def test_what_is_measured_stands_where_it_belongs(run: Run, rates: MachineRates) -> None:
    found, pool, _ = run("a", "b")
    assert pool.failures == {}
    short, long, *two_threads = found.latency["b sleeps"]
    assert (short.duration, short.threads, long.duration) == (1.0, 1, 5.0)
    # Twice the count of what the process was asked; the first is the warm-up.
    assert (short.warmup_wall, short.wall, short.cpu) == ((2,), (4, 6), (40, 60))
    assert (short.peak_rss, long.peak_rss) == (3000, 6000)
    assert not short.noisy or short.wall[1] > 0
    assert [row.threads for row in two_threads] == [2, 2]
    assert [
        (row.batch_size, row.threads, row.duration) for row in found.throughput["a sleeps"]
    ] == [
        (4, 1, 5.0),
        (4, 2, 5.0),
    ]
    (start,) = found.cold_start["a sleeps"]
    assert (start.import_, start.load, start.first) == (0.25, 0.5, 1)
    accuracy = found.accuracy["a sleeps"]
    assert (accuracy.errors, accuracy.words, accuracy.audio) == (2, 3, 2.0)
    assert found.streaming == {}  # these engines do not stream
    # Each round that counts, at each duration and number of threads.
    rooflines = rates.rooflines()
    assert {count: len(rows) for count, rows in rooflines.sgemm_gflops.items()} == {1: 4, 2: 4}
    assert rooflines.memory_copy_gbytes[2] == (1.0,) * 4


def test_gpu_memory_stands_with_the_process_that_holds_it(
    run: Run, nvidia_smi: Callable[..., None]
) -> None:
    nvidia_smi(f"{100 + ord('b')}, 700\n{200 + ord('b')}, 900\n")
    found, _, _ = run("a", "b")
    assert {row.peak_gpu_memory for row in found.latency["a sleeps"]} == {None}
    assert [(row.threads, row.peak_gpu_memory) for row in found.latency["b sleeps"]] == [
        *((1, 700 * 2**20), (1, 700 * 2**20), (2, 900 * 2**20), (2, 900 * 2**20))
    ]


def test_an_engine_with_one_thread_is_asked_for_no_more(
    run: Run, fake_engine: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_engine.FakeEngine, "threaded", False)
    found, _, _ = run("a")
    assert {row.threads for row in found.latency["a sleeps"]} == {1}


def test_one_that_fails_is_left_out_and_the_run_goes_on(run: Run) -> None:
    found, pool, log = run("a", "ill", "b")
    assert pool.failures == {"ill sleeps": "the process that runs ill ended with code 1: no more"}
    assert len(found.latency["a sleeps"]) == len(found.latency["b sleeps"]) == 4
    assert "ill2 short" not in log
    assert log.count("ill1 ends") == 3  # two cold starts, and the one that failed


def test_real_processes_that_die_and_hang(
    fake_engine: ModuleType, plan: Plan, rates: MachineRates
) -> None:
    for path in (*plan.clips.values(), plan.recordings[0].audio):
        with path.open("wb") as file:
            np.save(file, np.zeros(800, np.float32))
    engines = [fake_engine.FakeEngine(name) for name in ("prints", "dies", "hangs")]
    pool = EnginePool(
        engines,
        lambda one, threads: EngineProcess(one, threads, 2.0 if "hangs" in one.name else LIMIT),
    )
    found = Measurements()
    measure(plan, pool, rates, found)
    assert set(found.latency) == {"fake prints"}
    assert found.accuracy["fake prints"].words == 3
    assert pool.failures["fake dies"].endswith("ended with code 3: about to die")
    assert "did not answer within 2 s" in pool.failures["fake hangs"]


def test_the_command(
    streaming_model: Path,
    write_manifest: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_command_line: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.setattr("asr_bench.runs.run_command._EVERY", (1, 1))
    monkeypatch.setattr("asr_bench.runs.run_command._COLD_STARTS", (1, 1))
    out = tmp_path / "a" / "b"
    code, printed, _ = run_command_line(
        cli.main,
        *(
            "run",
            "--quick",
            "--model",
            streaming_model,
            "--manifest",
            write_manifest(["cab", "fade"]),
        ),
        *("--engine", "ONNX Runtime", "--engine", "fp32, greedy", "--threads", 1, "--out", out),
        *("--duration", 0.25, "--duration", 0.5, "--rounds", 2, "--warmup", 1),
    )
    assert code == 0
    assert f"wrote {out / 'results.json'}" in printed
    results = read_results(out / "results.json")
    assert (results.settings.recordings, results.settings.quick) == (2, True)
    assert results.settings.normalizer
    assert len(results.rooflines.sgemm_gflops[1]) == 4
    runtime, backend, cuda = results.engines
    assert [one.name for one in results.engines] == [
        *("asr-run tiny fp32, greedy", "ONNX Runtime tiny fp32", "ONNX Runtime tiny fp32, cuda")
    ]
    if cuda.skipped is not None:
        assert f"skipped {cuda.name}: this onnxruntime is a build without CUDA" in printed
    for engine in (runtime, backend):
        assert engine.skipped is None
        assert (engine.model, engine.model_bytes) == ("tiny", streaming_model.stat().st_size)
        assert engine.install_bytes is not None
        assert engine.operations_per_second_of_audio is not None
        (start,) = engine.cold_start
        assert start.total > start.import_ + start.load + start.first
        assert [(row.duration, len(row.wall), len(row.warmup_wall)) for row in engine.latency] == [
            *((0.25, 2, 1), (0.5, 2, 1))
        ]
        assert engine.accuracy is not None
        assert engine.accuracy.words == 2
    assert [row.batch_size for row in runtime.throughput] == [1, 8]
    assert [row.chunk_ms for row in runtime.streaming] == [640]
    assert len(runtime.streaming[0].finish_seconds) == 2
    assert (backend.throughput, backend.streaming) == ((), ())
    assert runtime.accuracy is not None
    assert backend.accuracy is not None
    assert runtime.accuracy.per_recording == backend.accuracy.per_recording


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--duration", "0"], "duration must be more than 0"),
        (["--threads", "0"], "threads must be 1 to"),
        (["--manifest", "missing.jsonl"], "cannot read the manifest"),
        (["--model", "missing.onnx"], "does not exist"),
        (["--engine", "siri"], "no engine is called like 'siri'"),
        (["--peer-model", "vosk"], "--peer-model takes NAME=PATH, not vosk"),
        (["--peer-model", "siri=x"], "'siri' takes no model"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_command_line: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command_line(cli.main, "run", "--out", "out", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("asr-bench: ")
    assert err.count("\n") == 1
    assert message in err


def test_results_do_not_replace_a_file_with_a_folder(
    tmp_path: Path, run_command_line: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "taken").write_text("mine")
    code, _, err = run_command_line(cli.main, "run", "--out", tmp_path / "taken")
    assert code == 1
    assert "cannot make the folder" in err
    assert (tmp_path / "taken").read_text() == "mine"
