"""Many damaged files through worker processes, and what became of them."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from asr_bench.fuzzing.seeds import Target
from asr_bench.fuzzing.trial import Outcome
from asr_bench.fuzzing.worker import Limits, Worker


@dataclass(frozen=True)
class Finding:
    """A file that the runtime did not take as it should.

    Attributes:
        file: Name of the damaged file, within the folder of findings.
        origin: The valid file that it was.
        index: Its number within the run.
        kind: Kind of the outcome, see ``trial``.
        message: Message of the error; the traceback, or how the process ended.
    """

    file: str
    origin: str
    index: int
    kind: str
    message: str


@dataclass
class Result:
    """What became of the files of one target.

    Attributes:
        target: Kind of file.
        tried: How many.
        seconds: That took.
        outcomes: How often each outcome came, by its kind.
        findings: What should not be.
    """

    target: str
    tried: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Campaign:
    """How to try damaged files.

    Attributes:
        seed: Seed of the damage; file ``index`` of a seed is always the same.
        findings: Folder for the files that show something wrong; made when there is one.
        workers: Processes at a time.
        limits: Limits of one file.
    """

    seed: int
    findings: Path
    workers: int = 1
    limits: Limits = field(default_factory=Limits)

    def run(
        self,
        target: Target,
        files: int,
        *,
        deadline: float | None = None,
        after_file: Callable[[], object] = lambda: None,
    ) -> Result:
        """Try ``files`` files, or as many as begin before ``deadline`` (of ``time.monotonic``).

        Raises:
            BenchError: The runtime does not take the valid files either.
        """
        result = Result(target.name)
        begin = time.monotonic()
        workers: list[Worker] = []

        def take(worker: Worker) -> None:
            assert worker.index is not None
            index = worker.index
            self._note(result, target, index, worker.take())
            after_file()

        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="asr-bench-")))
            for number in range(min(self.workers, files)):
                workers.append(Worker(target, folder / f"file-{number}", self.limits))
                stack.callback(workers[-1].stop)
            for index in range(files):
                if deadline is not None and time.monotonic() >= deadline:
                    break
                worker = _next(workers)
                if worker.index is not None:
                    take(worker)
                origin, content = target.damaged(self.seed, index)
                worker.give(index, Path(origin.name).suffix, content)
            for worker in workers:
                if worker.index is not None:
                    take(worker)
        result.seconds = time.monotonic() - begin
        return result

    def _note(self, result: Result, target: Target, index: int, outcome: Outcome) -> None:
        result.tried += 1
        result.outcomes[outcome.kind] += 1
        if not outcome.is_finding:
            return
        origin, content = target.damaged(self.seed, index)
        name = f"{target.name.replace(' ', '-')}-{self.seed}-{index}{Path(origin.name).suffix}"
        self.findings.mkdir(parents=True, exist_ok=True)
        (self.findings / name).write_bytes(content)
        result.findings.append(Finding(name, origin.name, index, outcome.kind, outcome.message))


def _next(workers: list[Worker]) -> Worker:
    """Return a worker with no file, or else the first whose result is there or overdue."""
    for worker in workers:
        if worker.index is None:
            return worker
    soonest = min(workers, key=lambda worker: worker.expires)
    ready = wait(
        [worker.connection for worker in workers], max(0.0, soonest.expires - time.monotonic())
    )
    return next((worker for worker in workers if worker.connection in ready), soonest)
