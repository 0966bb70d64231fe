"""What keeps timed runs from disturbing each other."""

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
class Candidate:
    """Something to be timed, and its name."""

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


def rotated(items: Sequence[Item], index: int) -> list[Item]:
    """Return all items, beginning with the one at ``index``, counted in a circle."""
    first = index % len(items) if items else 0
    return [*items[first:], *items[:first]]


@contextlib.contextmanager
def measuring(threads: int) -> Iterator[None]:
    """Keep PyTorch on so many threads, and the garbage collector out of a run."""
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
