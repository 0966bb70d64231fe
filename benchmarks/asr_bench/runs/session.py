"""One run from the engines to its results: what ``run`` and its presets have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from asr_bench.engines import engine_process
from asr_bench.engines.engine import Engine
from asr_bench.engines.install_size import install_bytes
from asr_bench.engines.pool import EnginePool
from asr_bench.engines.registry import ModelUnderTest
from asr_bench.errors import BenchError, InterruptedRunError
from asr_bench.measuring.environment import capture_environment
from asr_bench.results import EngineResult, Results
from asr_bench.runs.machine_rates import MachineRates
from asr_bench.runs.measure import measure
from asr_bench.runs.plan import Plan
from asr_bench.runs.record import RunRecord


@dataclass(frozen=True)
class Session:
    """Everything that a run needs.

    Attributes:
        plan: What to measure.
        models: Models under test.
        engines: Engines that were chosen.
        time_limit: Seconds after which an engine that hangs is given up.
        path: Where ``results.json`` is kept; None for nowhere.
    """

    plan: Plan
    models: Sequence[ModelUnderTest]
    engines: Sequence[Engine]
    time_limit: float
    path: Path | None

    def run(self) -> Results:
        """Export what is needed and measure everything.

        Returns:
            The results; not complete if Ctrl-C ended the run after something was measured.

        Raises:
            BenchError: Two engines have one name.
            KeyboardInterrupt: Nothing was measured yet.
        """
        _check_names(self.engines)
        environment = capture_environment()
        with tqdm(unit="run") as bar:
            unwritten: dict[Path, str] = {}
            for model in self.models:
                unwritten |= model.export(
                    [one for one in model.engines if one in self.engines],
                    lambda label: bar.set_description(f"exporting {label}"),
                )
            reasons = {one.name: _unavailable_reason(one, unwritten) for one in self.engines}
            able = [one for one in self.engines if reasons[one.name] is None]
            described = [self._unmeasured(one, reasons[one.name]) for one in self.engines]
            models = [model.info for model in self.models]
            rates, failures = MachineRates(), dict[str, str]()
            record = RunRecord(
                self.path, environment, self.plan.settings, models, described, rates, failures
            )
            pool = EnginePool(
                able,
                lambda one, threads: engine_process.EngineProcess(one, threads, self.time_limit),
                after_run=bar.update,
                failures=failures,
                after_failure=record.keep,
            )
            bar.reset(self.plan.runs(able))
            try:
                measure(
                    self.plan,
                    pool,
                    rates,
                    record.measurements,
                    before_part=bar.set_description,
                    after_step=record.keep,
                )
            except BaseException as error:
                record.keep()
                if not isinstance(error, KeyboardInterrupt) or record.measurements.empty:
                    raise
                return record.results(complete=False)
        return record.finish()

    def _unmeasured(self, engine: Engine, skipped: str | None) -> EngineResult:
        owners = [model.info for model in self.models if engine in model.engines]
        return EngineResult(
            name=engine.name,
            kind=engine.kind,
            model=engine.model_name,
            version=engine.version(),
            model_bytes=engine.model_bytes(),
            install_bytes=install_bytes(engine.distributions),
            operations_per_second_of_audio=owners[0].operations_per_second_of_audio
            if owners
            else None,
            skipped=skipped,
        )


def run_and_report(
    measure_all: Callable[[], Results], report: Callable[[Results], object], where: str
) -> None:
    """Measure and report; after Ctrl-C, report what was measured and end with an error.

    Args:
        measure_all: Gives the results, or raises KeyboardInterrupt if there are none.
        report: Writes and shows them.
        where: Where the results are, for the message.

    Raises:
        InterruptedRunError: Ctrl-C ended the measurement or the report.
    """
    try:
        results = measure_all()
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted before anything was measured") from None
    interrupted = not results.complete
    try:
        report(results)
    except KeyboardInterrupt:  # perhaps the second one: whoever is in a hurry gets no reports
        interrupted = True
    if interrupted:
        raise InterruptedRunError(f"interrupted; the results so far are {where}")


def _unavailable_reason(engine: Engine, unwritten: Mapping[Path, str]) -> str | None:
    reasons = [unwritten[path] for path in engine.files() if path in unwritten]
    return reasons[0] if reasons else engine.unavailable_reason()


def _check_names(engines: Sequence[Engine]) -> None:
    names = [engine.name for engine in engines]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BenchError(f"two models make an engine {twice!r}; rename one of their files")
