"""The engines of a run; one that fails is left out from there on, and the run goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from asr_bench.engines.engine import Engine
from asr_bench.engines.engine_process import EngineFailureError, EngineProcess, Timing
from asr_bench.measuring.timing import rotated

Answer = TypeVar("Answer")
Start = Callable[[Engine, int], EngineProcess]


@dataclass
class Fleet:
    """Engines, and how a process of one is started.

    Attributes:
        engines: all that can run here.
        start: a process for an engine and a number of threads.
        after_run: called after each run of each engine, also in place of those that a failed one
            no longer does.
        failures: reasons by the engine's name.
        after_failure: called after each that is added to them.
    """

    engines: Sequence[Engine]
    start: Start
    after_run: Callable[[], object] = lambda: None
    failures: dict[str, str] = field(default_factory=dict)
    after_failure: Callable[[], object] = lambda: None

    def attempt(self, engine: Engine, action: Callable[[], Answer]) -> Answer | None:
        """What ``action`` gives; None if the engine fails, or has failed before."""
        if engine.name in self.failures:
            return None
        try:
            return action()
        except EngineFailureError as error:
            self.failures[engine.name] = str(error)
            self.after_failure()
            return None

    def each(
        self, engines: Sequence[Engine], number: int, run: Callable[[Engine], Answer]
    ) -> Iterator[tuple[Engine, Answer]]:
        """Let all run once, beginning with the one of index ``number``; failed ones give none."""
        for engine in rotated(engines, number):
            answer = self.attempt(engine, lambda one=engine: run(one))  # type: ignore[misc]
            self.after_run()
            if answer is not None:
                yield engine, answer

    @contextlib.contextmanager
    def started(self, engines: Sequence[Engine], threads: int) -> Iterator[Processes]:
        """A fresh process for each of ``engines``, idle until it is asked, ended in the end."""
        processes: dict[str, EngineProcess] = {}
        with contextlib.ExitStack() as stack:
            for engine in engines:
                process = self.attempt(engine, lambda one=engine: self.start(one, threads))  # type: ignore[misc]
                if process is not None:
                    processes[engine.name] = process
                    stack.callback(process.close)
            yield Processes(self, engines, processes)


@dataclass(frozen=True)
class Rounds:
    """Timings of one engine: those of the warm-up, and those that count."""

    warmup: list[Timing] = field(default_factory=list)
    counted: list[Timing] = field(default_factory=list)


@dataclass(frozen=True)
class Processes:
    """One process an engine, of which only the one that is asked works."""

    fleet: Fleet
    engines: Sequence[Engine]
    processes: dict[str, EngineProcess]

    def only(self, wanted: Callable[[Engine], bool]) -> Processes:
        """Of some of the engines."""
        engines = [engine for engine in self.engines if wanted(engine)]
        return Processes(self.fleet, engines, self.processes)

    def tell(self, ask: Callable[[EngineProcess], Answer]) -> Iterator[tuple[Engine, Answer]]:
        """Ask what takes no time; engines that have failed are left out."""
        for engine in self.engines:
            answer = self.fleet.attempt(engine, lambda one=engine: ask(self.processes[one.name]))  # type: ignore[misc]
            if answer is not None:
                yield engine, answer

    def each(
        self, number: int, ask: Callable[[EngineProcess], Answer]
    ) -> Iterator[tuple[Engine, Answer]]:
        """Let all run once, beginning with the one of index ``number``; as ``tell`` otherwise."""
        yield from self.fleet.each(self.engines, number, lambda one: ask(self.processes[one.name]))

    def in_rounds(
        self,
        ask: Callable[[EngineProcess], Timing],
        *,
        rounds: int,
        warmup: int,
        after_round: Callable[[], object] = lambda: None,
    ) -> dict[str, Rounds]:
        """Time every engine once a round, each round beginning with the next one.

        ``after_round`` is called after each that counts. Returns the timings by the engine's name;
        those at one index were taken in one round.
        """
        timings = {engine.name: Rounds() for engine in self.engines}
        for number in range(-warmup, rounds):
            for engine, timing in self.each(number, ask):
                found = timings[engine.name]
                (found.counted if number >= 0 else found.warmup).append(timing)
            if number >= 0:
                after_round()
        return timings
