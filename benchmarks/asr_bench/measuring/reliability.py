"""Why some samples should not be trusted."""

from __future__ import annotations

import numpy as np

from asr_bench.measuring.bootstrap import Samples
from asr_bench.measuring.environment import Environment
from asr_bench.measuring.statistics import NOISE_LIMIT, scattered

#: With fewer, an interval from the samples alone means little.
FEWEST_SAMPLES = 5


def doubts(samples: Samples, *, marked: bool = False, alike: bool = True) -> tuple[str, ...]:
    """Reasons in a few words each; none for samples that can be trusted.

    Args:
        samples: one or more, more than 0.
        marked: whether whoever measured called them noisy.
        alike: whether all measured the same work, so that scatter means a disturbance.
    """
    found = []
    if len(samples) < FEWEST_SAMPLES:
        found.append("1 sample" if len(samples) == 1 else f"only {len(samples)} samples")
    if alike and scattered(samples):
        median, p95 = np.percentile(samples, (50, 95))
        ratio = f"{p95 / median:.1f} medians" if median > 0 else "above a median of 0"
        found.append(f"p95 is {ratio}, above {NOISE_LIMIT:g}")
    if marked and not found:
        found.append("noisy when measured")
    return tuple(found)


def machine_doubts(environment: Environment) -> tuple[str, ...]:
    """Of everything that was timed there."""
    if not environment.overloaded:
        return ()
    load, cores = environment.load_average, environment.logical_cores
    return (f"load average {load:.1f} on {cores} cores",)
