"""The engines of a run. One that fails is left out from there on, and the run goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from asr_bench.engines.engine import Engine
from asr_bench.engines.engine_process import EngineFailureError, EngineProcess, Timing
from asr_bench.measuring.timing import rotated

Answer = TypeVar("Answer")
Start = Callable[[Engine, int], EngineProcess]


@dataclass
class EnginePool:
    """Engines, and how a process of one is started.

    Attributes:
        engines: All that can run here.
        start: Starts a process for an engine and a number of threads.
        after_run: Called after each run of each engine, also in place of those that a failed one
            no longer does.
        failures: Reasons by the engine's name.
        after_failure: Called after each that is added to them.
    """

    engines: Sequence[Engine]
    start: Start
    after_run: Callable[[], object] = lambda: None
    failures: dict[str, str] = field(default_factory=dict)
    after_failure: Callable[[], object] = lambda: None

    def attempt(self, engine: Engine, action: Callable[[], Answer]) -> Answer | None:
        """Return what ``action`` gives; None if the engine fails, or has failed before."""
        if engine.name in self.failures:
            return None
        try:
            return action()
        except EngineFailureError as error:
            self.failures[engine.name] = str(error)
            self.after_failure()
            return None

    def each(
        self, engines: Sequence[Engine], index: int, run: Callable[[Engine], Answer]
    ) -> Iterator[tuple[Engine, Answer]]:
        """Let all run once, beginning with the one at ``index`` in a circle.

        Args:
            engines: Engines to run.
            index: Of the first one.
            run: Runs an engine.

        Yields:
            Engines that did not fail, with what ``run`` gave.
        """
        for engine in rotated(engines, index):
            answer = self.attempt(engine, partial(run, engine))
            self.after_run()
            if answer is not None:
                yield engine, answer

    @contextlib.contextmanager
    def started(self, engines: Sequence[Engine], threads: int) -> Iterator[Processes]:
        """Start a process for each of ``engines``, idle until it is asked; end all in the end."""
        processes: dict[str, EngineProcess] = {}
        with contextlib.ExitStack() as stack:
            for engine in engines:
                process = self.attempt(engine, partial(self.start, engine, threads))
                if process is not None:
                    processes[engine.name] = process
                    stack.callback(process.close)
            yield Processes(self, engines, processes)


@dataclass(frozen=True)
class EngineTimings:
    """Timings of one engine, in the order of the rounds: of the warm-up, and those that count."""

    warmup: list[Timing] = field(default_factory=list)
    counted: list[Timing] = field(default_factory=list)


@dataclass(frozen=True)
class Processes:
    """One process for each engine, of which only the one that is asked works."""

    pool: EnginePool
    engines: Sequence[Engine]
    processes: dict[str, EngineProcess]

    def only(self, wanted: Callable[[Engine], bool]) -> Processes:
        """Return the processes of some of the engines."""
        engines = [engine for engine in self.engines if wanted(engine)]
        return Processes(self.pool, engines, self.processes)

    def beginning_with(self, name: str) -> Processes:
        """Return the same processes with the engine of that name first."""
        engines = sorted(self.engines, key=lambda engine: engine.name != name)
        return Processes(self.pool, engines, self.processes)

    def tell(self, ask: Callable[[EngineProcess], Answer]) -> Iterator[tuple[Engine, Answer]]:
        """Ask all what takes no time, and yield the answers of those that have not failed."""
        for engine in self.engines:
            answer = self.pool.attempt(engine, lambda one=engine: ask(self.processes[one.name]))  # type: ignore[misc]
            if answer is not None:
                yield engine, answer

    def each(
        self, index: int, ask: Callable[[EngineProcess], Answer]
    ) -> Iterator[tuple[Engine, Answer]]:
        """Let all run once, beginning with the one at ``index``, and yield the answers."""
        yield from self.pool.each(self.engines, index, lambda one: ask(self.processes[one.name]))

    def in_rounds(
        self,
        ask: Callable[[EngineProcess], Timing],
        *,
        rounds: int,
        warmup: int,
        after_round: Callable[[], object] = lambda: None,
    ) -> dict[str, EngineTimings]:
        """Time every engine once a round, each round beginning with the next one.

        Args:
            ask: Runs an engine in its process.
            rounds: Timed rounds.
            warmup: Rounds before them.
            after_round: Called after each timed round.

        Returns:
            Timings by the engine's name; those at one index were taken in one round.
        """
        timings = {engine.name: EngineTimings() for engine in self.engines}
        for index in range(-warmup, rounds):
            for engine, timing in self.each(index, ask):
                own = timings[engine.name]
                (own.counted if index >= 0 else own.warmup).append(timing)
            if index >= 0:
                after_round()
        return timings
