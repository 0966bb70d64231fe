"""Time several ways to do the same, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

_NAP = 0.005  # seconds
_LONGEST_WAIT = 0.2  # seconds


@dataclass(frozen=True)
class Contender:
    """Something to be timed."""

    name: str
    run: Callable[[], object]


def wait_for_idle_threads() -> None:
    """Sleep until no thread of this process is running.

    ONNX Runtime's workers spin for some 40 ms after a run, waiting for the next: on a small machine
    they would take a core from whatever is timed after it.
    """
    for _ in range(round(_LONGEST_WAIT / _NAP)):
        used = time.process_time()
        time.sleep(_NAP)
        if time.process_time() - used < _NAP / 5:
            return


def interleave(
    contenders: Sequence[Contender],
    *,
    rounds: int,
    warmup: int,
    clock: Callable[[], float] = time.perf_counter,
    settle: Callable[[], None] = wait_for_idle_threads,
    after_round: Callable[[], None] = lambda: None,
) -> dict[str, tuple[float, ...]]:
    """Time every contender once a round, each round beginning with the next one.

    Args:
        contenders: with distinct names.
        rounds: samples of each.
        warmup: rounds before those, not counted.
        clock: seconds, monotonic.
        settle: called before each run, outside the timing.
        after_round: called after each round, warm-up included.

    Returns:
        Seconds by name; the samples at one index were taken in one round.
    """
    samples: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(-warmup, rounds):
        for contender in rotated(contenders, number):
            settle()
            start = clock()
            contender.run()
            elapsed = clock() - start
            if number >= 0:
                samples[contender.name].append(elapsed)
        after_round()
    return {name: tuple(values) for name, values in samples.items()}


def rotated(items: Sequence[Item], number: int) -> list[Item]:
    """Beginning with the one of index ``number``, counted in a circle."""
    first = number % len(items) if items else 0
    return [*items[first:], *items[:first]]


@contextlib.contextmanager
def measuring(threads: int) -> Iterator[None]:
    """PyTorch on so many threads, and no garbage collection in the middle of a run."""
    import torch  # only here: a process without it can be timed as well

    before, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(threads)
    gc.disable()
    try:
        yield
    finally:
        torch.set_num_threads(before)
        if collecting:
            gc.enable()
