"""``results.json`` while its run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr_bench.full_run.machine_rates import MachineRates
from asr_bench.full_run.run import Measurements
from asr_bench.measuring.environment import Environment
from asr_bench.results import EngineResult, Results, Settings, write_results


@dataclass(frozen=True)
class RunRecord:
    """What a run has measured so far, and the file that keeps it.

    Attributes:
        path: of ``results.json``.
        environment: before the run.
        settings: of the run.
        engines: all that were chosen, without measurements; those that cannot run are skipped.
        rates: of the machine.
        failures: reasons by the engine's name, as ``Fleet.failures``.
        found: what ``measure`` fills.
    """

    path: Path
    environment: Environment
    settings: Settings
    engines: Sequence[EngineResult]
    rates: MachineRates
    failures: Mapping[str, str]
    found: Measurements = field(default_factory=Measurements)

    def results(self, *, complete: bool) -> Results:
        """The document as it is now."""
        return Results(
            self.environment,
            self.settings,
            self.rates.rooflines(),
            tuple(self._result(engine) for engine in self.engines),
            complete=complete,
            done=tuple(self.found.done),
        )

    def keep(self) -> None:
        """Write the file, said to be incomplete; ``OutputError`` when it cannot be written.

        As long as nothing was measured, what another run has left there stays.
        """
        if not self.found.empty:
            write_results(self.results(complete=False), self.path)

    def _result(self, engine: EngineResult) -> EngineResult:
        name, found = engine.name, self.found
        if name in self.failures:
            return replace(engine, skipped=f"failed: {self.failures[name]}")
        return replace(
            engine,
            cold_start=tuple(found.cold_start.get(name, ())),
            latency=tuple(found.latency.get(name, ())),
            throughput=tuple(found.throughput.get(name, ())),
            streaming=tuple(found.streaming.get(name, ())),
            accuracy=found.accuracy.get(name),
        )
