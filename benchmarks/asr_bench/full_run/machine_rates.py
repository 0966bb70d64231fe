"""What the machine can do at its best, sampled between the runs that it is compared with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from asr_bench.measuring.roofline import Roofline, matrix_products, memory_copy
from asr_bench.measuring.timing import measuring, wait_for_idle_threads
from asr_bench.results import Rooflines


class MachineRates:
    """Matrix products, of whichever engine is the faster each time, and memory copies."""

    def __init__(
        self,
        *,
        products: Callable[[int], Roofline] = matrix_products,
        copies: Callable[[], Roofline] = memory_copy,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._make_products = products
        self._copies = copies()
        self._clock = clock
        self._products: Roofline | None = None
        self._threads = 0
        self._gflops: dict[int, list[float]] = {}
        self._gbytes: dict[int, list[float]] = {}

    @contextlib.contextmanager
    def on_threads(self, threads: int) -> Iterator[None]:
        """Within, ``sample`` runs on so many threads."""
        self._threads, self._products = threads, self._make_products(threads)
        with measuring(threads):
            self._rate(self._products)  # the first is slower
            self._rate(self._copies)
            yield
        self._products = None

    def sample(self) -> None:
        """Take one of each."""
        assert self._products is not None
        self._gflops.setdefault(self._threads, []).append(self._rate(self._products))
        self._gbytes.setdefault(self._threads, []).append(self._rate(self._copies))

    def rooflines(self) -> Rooflines:
        """All samples."""
        return Rooflines(
            {threads: tuple(rates) for threads, rates in self._gflops.items()},
            {threads: tuple(rates) for threads, rates in self._gbytes.items()},
        )

    def _rate(self, roofline: Roofline) -> float:
        """10^9 a second."""
        rates = []
        for contender in roofline.contenders:
            wait_for_idle_threads()
            begin = self._clock()
            contender.run()
            rates.append(roofline.operations / (self._clock() - begin) / 1e9)
        return max(rates)
