"""What the machine can do at its best, sampled between the runs that it is compared with."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

from asr_bench.measuring.roofline import Roofline, matrix_products, memory_copy
from asr_bench.measuring.timing import measuring, wait_for_idle_threads
from asr_bench.results import Rooflines


class MachineRates:
    """Matrix products by each library, and memory copies.

    Args:
        products: Makes the matrix products for a number of threads.
        copies: Makes the memory copy.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        products: Callable[[int], Roofline] = matrix_products,
        copies: Callable[[], Roofline] = memory_copy,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._make_products = products
        self._make_copies = copies
        self._clock = clock
        self._rooflines: tuple[Roofline, Roofline] | None = None
        self._threads = 0
        self._gflops: dict[str, dict[int, list[float]]] = defaultdict(dict)
        self._gbytes: dict[int, list[float]] = {}

    @contextlib.contextmanager
    def on_threads(self, threads: int) -> Iterator[None]:
        """Let ``sample`` run on so many threads within."""
        self._threads = threads
        self._rooflines = self._make_products(threads), self._make_copies()
        with measuring(threads):
            for roofline in self._rooflines:
                self._rates(roofline)  # the first is slower
            yield
        self._rooflines = None

    def sample(self) -> None:
        """Take one sample of each."""
        assert self._rooflines is not None
        products, copies = self._rooflines
        for library, rate in self._rates(products).items():
            self._gflops[library].setdefault(self._threads, []).append(rate)
        self._gbytes.setdefault(self._threads, []).extend(self._rates(copies).values())

    def rooflines(self) -> Rooflines:
        """Return all samples; of the matrix products also the fastest of each round."""
        counts = next(iter(self._gflops.values()), {})
        fastest = {
            threads: tuple(map(max, *(rates[threads] for rates in self._gflops.values())))
            if len(self._gflops) > 1
            else tuple(counts[threads])
            for threads in counts
        }
        return Rooflines(
            fastest,
            {threads: tuple(rates) for threads, rates in self._gbytes.items()},
            {
                library: {threads: tuple(rates) for threads, rates in by_threads.items()}
                for library, by_threads in self._gflops.items()
            },
        )

    def _rates(self, roofline: Roofline) -> dict[str, float]:
        """Return 10^9 operations or bytes a second, by the candidate's name."""
        rates = {}
        for candidate in roofline.candidates:
            wait_for_idle_threads()
            begin = self._clock()
            candidate.run()
            rates[candidate.name] = roofline.operations / (self._clock() - begin) / 1e9
        return rates
