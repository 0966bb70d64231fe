"""A run that does not come to its end keeps what it has measured, and nobody takes it for whole."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from asr_bench import cli
from asr_bench.engines.engine import Engine
from asr_bench.engines.engine_process import EngineFailureError, Timing
from asr_bench.engines.pool import EnginePool
from asr_bench.engines.timed_stream import TimedStream
from asr_bench.measuring.environment import Environment
from asr_bench.reporting import write_reports
from asr_bench.reporting.report import BEGIN, END
from asr_bench.results import EngineResult, Results
from asr_bench.results_file import read_results, write_results
from asr_bench.runs.machine_rates import MachineRates
from asr_bench.runs.measure import measure
from asr_bench.runs.plan import Plan
from asr_bench.runs.record import RunRecord

CommandLine = Callable[..., tuple[int, str, str]]


class StoppingProcess:
    """Takes a second for everything; the question of a number, over all processes, stops it."""

    asked = 0
    stop_at = 0
    stop: BaseException

    def __init__(self, engine: Engine, threads: int, limit: float = 0) -> None:
        self.import_seconds, self.load_seconds, self.started, self.pid = 0.5, 0.5, 0.0, 0

    @classmethod
    def script(cls, stop_at: int, stop: BaseException) -> None:
        cls.asked, cls.stop_at, cls.stop = 0, stop_at, stop

    def transcribe(self, audio: Path) -> tuple[str, Timing]:
        StoppingProcess.asked += 1
        if self.asked == self.stop_at:
            raise self.stop
        return "one", Timing(1, 1)

    def transcribe_batch(self, audio: Path, size: int) -> Timing:
        return self.transcribe(audio)[1]

    def stream(self, *_: object) -> TimedStream:
        return TimedStream("one", 0.1, (0.1,), 0.1)

    def peak_memory(self) -> int:
        return 1000

    def close(self) -> None:
        pass


@pytest.fixture
def record(environment: Environment, plan: Plan, rates: MachineRates, tmp_path: Path) -> RunRecord:
    engines = [EngineResult(f"{name} sleeps", "runtime", "x", "1") for name in ("a", "b")]
    path = tmp_path / "results.json"
    return RunRecord(path, environment, plan.settings, [], engines, rates, failures={})


@pytest.fixture
def pool(fake_engine: ModuleType, record: RunRecord) -> EnginePool:
    engines = [fake_engine.FakeEngine("sleeps", name) for name in ("a", "b")]
    return EnginePool(engines, StoppingProcess, failures=record.failures)  # type: ignore[arg-type]


def test_the_file_has_every_step_as_soon_as_it_is_done(
    plan: Plan, pool: EnginePool, rates: MachineRates, record: RunRecord
) -> None:
    StoppingProcess.script(0, KeyboardInterrupt())
    kept: list[tuple[int, int, int, int]] = []

    def keep() -> None:
        record.keep()
        found = read_results(record.path)
        assert not found.complete
        one = found.engines[1]
        kept.append((len(found.done), len(one.cold_start), len(one.latency), len(one.throughput)))

    measure(plan, pool, rates, record.measurements, after_step=keep)
    assert kept == [
        *((1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 2, 0), (1, 1, 2, 1)),
        *((2, 1, 2, 1), (2, 1, 3, 1), (2, 1, 4, 1), (2, 1, 4, 2)),
        *((3, 1, 4, 2), (4, 1, 4, 2)),
    ]
    assert record.results(complete=True).done == (
        *("cold start", "latency, 1 thread", "latency, 2 threads", "word error rate"),
    )


def test_the_file_names_an_engine_that_failed_at_once(
    plan: Plan, pool: EnginePool, rates: MachineRates, record: RunRecord
) -> None:
    StoppingProcess.script(8, EngineFailureError("no more"))
    kept: list[Results] = []
    pool.after_failure = lambda: (record.keep(), kept.append(read_results(record.path)))
    measure(plan, pool, rates, record.measurements)
    (results,) = kept
    assert [one.skipped for one in results.engines] == [None, "failed: no more"]
    assert (len(results.engines[0].cold_start), results.engines[1].cold_start) == (1, ())


@pytest.fixture
def asr_bench_run(
    streaming_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_command_line
) -> Callable[[], tuple[int, str, str]]:
    """The command, of one engine: three cold starts, then three rounds of one duration, a batch."""
    monkeypatch.setattr("asr_bench.engines.engine_process.EngineProcess", StoppingProcess)

    def run() -> tuple[int, str, str]:
        return run_command_line(cli.main, *_arguments(streaming_model, tmp_path / "out", 3))

    return run


def _arguments(model: Path, out: Path, rounds: int) -> tuple[object, ...]:
    return (
        *("run", "--quick", "--model", model, "--out", out, "--engine", "fp32, greedy"),
        *("--threads", 1, "--duration", 0.25, "--duration", 0.5, "--rounds", rounds),
    )


def test_ctrl_c_is_one_line_and_the_results_so_far(asr_bench_run, tmp_path: Path) -> None:
    # Three cold starts, four times the first duration, and in the middle of the second.
    StoppingProcess.script(10, KeyboardInterrupt())
    code, out, err = asr_bench_run()
    assert code == 130
    folder = tmp_path / "out"
    last = err.splitlines()[-1]
    assert last == f"asr-bench: interrupted; the results so far are in the folder {folder}"
    assert err.count("asr-bench:") == 1
    assert "Traceback" not in err
    assert f"wrote {folder / 'report.md'}" in out
    results = read_results(folder / "results.json")
    assert (results.complete, results.done) == (False, ("cold start",))
    (engine,) = results.engines
    assert len(engine.cold_start) == 2
    assert [row.duration for row in engine.latency] == [0.25]
    report = (folder / "report.md").read_text().splitlines()
    assert report[2] == "- INCOMPLETE: the run was interrupted; finished: cold start"


def test_ctrl_c_before_the_first_figure_leaves_what_was_there(asr_bench_run, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.json").write_text("of another run")
    StoppingProcess.script(1, KeyboardInterrupt())
    code, out, err = asr_bench_run()
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "asr-bench: interrupted before anything was measured"
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["of another run"]


def test_ctrl_c_in_the_middle_of_a_step_keeps_what_it_has(asr_bench_run, tmp_path: Path) -> None:
    StoppingProcess.script(3, KeyboardInterrupt())
    code, _, err = asr_bench_run()
    assert code == 130
    assert "the results so far are in the folder" in err.splitlines()[-1]
    results = read_results(tmp_path / "out" / "results.json")
    assert (results.complete, results.done) == (False, ())
    assert len(results.engines[0].cold_start) == 1
    assert "finished: no part" in (tmp_path / "out" / "report.md").read_text()


def test_ctrl_c_again_goes_without_reports(asr_bench_run, tmp_path, monkeypatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("asr_bench.reporting.write_reports", interrupted)
    StoppingProcess.script(10, KeyboardInterrupt())
    code, _, err = asr_bench_run()
    assert code == 130
    assert err.splitlines()[-1].endswith(f"are in the folder {tmp_path / 'out'}")
    assert not read_results(tmp_path / "out" / "results.json").complete


def test_an_error_of_the_program_keeps_the_results_and_its_traceback(
    asr_bench_run, tmp_path, monkeypatch
) -> None:
    StoppingProcess.script(10, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        asr_bench_run()
    results = read_results(tmp_path / "out" / "results.json")
    assert (results.complete, len(results.engines[0].latency)) == (False, 1)


def test_a_run_that_ends_is_complete(asr_bench_run, tmp_path: Path) -> None:
    StoppingProcess.script(0, KeyboardInterrupt())
    code, _, err = asr_bench_run()
    assert (code, "asr-bench:" in err) == (0, False)
    results = read_results(tmp_path / "out" / "results.json")
    assert results.complete
    assert results.done == ("cold start", "latency, 1 thread", "streams")
    assert "INCOMPLETE" not in (tmp_path / "out" / "report.md").read_text()


def test_a_real_signal_in_real_processes(streaming_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = map(str, _arguments(streaming_model, out, 100_000))
    process = subprocess.Popen(
        [sys.executable, "-c", "from asr_bench.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + 120
        while not (out / "results.json").exists() and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1].startswith("asr-bench: interrupted; the results so far are in")
    assert "Traceback" not in errors
    assert not read_results(out / "results.json").complete
    assert sorted(path.suffix for path in out.iterdir() if path.suffix != ".svg") == [
        *(".html", ".json", ".md")
    ]


@pytest.fixture
def interrupted(simulate: Callable[..., Results], environment: Environment) -> Results:
    done = ("cold start", "latency, 1 thread")
    return dataclasses.replace(simulate(environment, 1), complete=False, done=done)


def test_reports_say_so_at_the_top(interrupted: Results, tmp_path: Path) -> None:
    write_reports(interrupted, tmp_path)
    said = "INCOMPLETE: the run was interrupted; finished: cold start; latency, 1 thread"
    assert (tmp_path / "report.md").read_text().splitlines()[2] == f"- {said}"
    page = (tmp_path / "report.html").read_text()
    assert f"</h1>\n<ul><li>{said}</li>" in page


@pytest.mark.parametrize("which", ["before", "after"])
def test_nothing_is_compared_with_it(
    interrupted: Results, tmp_path: Path, run_command_line: CommandLine, which: str
) -> None:
    for name in ("before", "after"):
        whole = dataclasses.replace(interrupted, complete=name != which)
        write_results(whole, tmp_path / f"{name}.json")
    code, out, err = run_command_line(
        cli.main, "compare", tmp_path / "before.json", tmp_path / "after.json"
    )
    assert (code, out) == (2, "")
    assert err.startswith(f"asr-bench: {tmp_path / which}.json: of a run that was interrupted")
    assert err.count("\n") == 1


def test_no_document_takes_its_table(
    interrupted: Results, tmp_path: Path, run_command_line: CommandLine
) -> None:
    write_results(interrupted, tmp_path / "results.json")
    document = tmp_path / "document.md"
    document.write_text(f"{BEGIN}\n{END}\n")
    code, out, err = run_command_line(
        cli.main, "table", tmp_path / "results.json", "--into", document
    )
    assert (code, out) == (1, "")
    assert "of a run that was interrupted" in err
    assert err.count("\n") == 1
    assert document.read_text() == f"{BEGIN}\n{END}\n"
