"""``results.json`` while its run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr_bench.measuring.environment import Environment
from asr_bench.results import EngineResult, ModelInfo, Results, Settings
from asr_bench.results_file import write_results
from asr_bench.runs.machine_rates import MachineRates
from asr_bench.runs.plan import Measurements


@dataclass(frozen=True)
class RunRecord:
    """What a run has measured so far, and the file that keeps it.

    Attributes:
        path: Path of ``results.json``; None if no file is kept.
        environment: The machine before the run.
        settings: What was asked for.
        models: Models under test.
        engines: All that were chosen, without measurements; those that cannot run are skipped.
        rates: The machine's own rates.
        failures: Reasons by the engine's name, as ``EnginePool.failures``.
        measurements: What ``measure`` fills.
    """

    path: Path | None
    environment: Environment
    settings: Settings
    models: Sequence[ModelInfo]
    engines: Sequence[EngineResult]
    rates: MachineRates
    failures: Mapping[str, str]
    measurements: Measurements = field(default_factory=Measurements)

    def results(self, *, complete: bool) -> Results:
        """Return the document as it is now."""
        return Results(
            self.environment,
            self.settings,
            self.rates.rooflines(),
            tuple(self._result(engine) for engine in self.engines),
            complete=complete,
            done=tuple(self.measurements.done),
            models=tuple(self.models),
        )

    def keep(self) -> None:
        """Write the file, said to be incomplete.

        As long as nothing was measured, what another run has left there stays.

        Raises:
            OutputError: It cannot be written.
        """
        if self.path is not None and not self.measurements.empty:
            write_results(self.results(complete=False), self.path)

    def finish(self) -> Results:
        """Write the file, complete, and return the document."""
        results = self.results(complete=True)
        if self.path is not None:
            write_results(results, self.path)
        return results

    def _result(self, engine: EngineResult) -> EngineResult:
        name, measured = engine.name, self.measurements
        if name in self.failures:
            return replace(engine, skipped=f"failed: {self.failures[name]}")
        return replace(
            engine,
            cold_start=tuple(measured.cold_start.get(name, ())),
            latency=tuple(measured.latency.get(name, ())),
            throughput=tuple(measured.throughput.get(name, ())),
            streaming=tuple(measured.streaming.get(name, ())),
            accuracy=measured.accuracy.get(name),
            deviation=measured.deviation.get(name),
        )
