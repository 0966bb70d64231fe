"""Why some samples should not be trusted."""

from __future__ import annotations

import numpy as np

from asr_bench.measuring.bootstrap import Samples
from asr_bench.measuring.environment import Environment

#: With fewer samples, an interval from them alone means little.
FEWEST_SAMPLES = 5

#: Samples whose 95th percentile is above so many medians were disturbed.
NOISE_LIMIT = 1.5


def scattered(samples: Samples) -> bool:
    """Return whether samples [n] scatter too much to be trusted."""
    median, p95 = np.percentile(samples, (50, 95))
    return bool(p95 > NOISE_LIMIT * median)


def reliability_warnings(
    samples: Samples, *, marked: bool = False, alike: bool = True
) -> tuple[str, ...]:
    """Return reasons in a few words each; none for samples that can be trusted.

    Args:
        samples: One or more values above 0, [n].
        marked: Whether whoever measured called them noisy.
        alike: Whether all measured the same work, so that scatter means a disturbance.
    """
    reasons = []
    if len(samples) < FEWEST_SAMPLES:
        reasons.append("1 sample" if len(samples) == 1 else f"only {len(samples)} samples")
    if alike and scattered(samples):
        median, p95 = np.percentile(samples, (50, 95))
        ratio = f"{p95 / median:.1f} medians" if median > 0 else "above a median of 0"
        reasons.append(f"p95 is {ratio}, above {NOISE_LIMIT:g}")
    if marked and not reasons:
        reasons.append("noisy when measured")
    return tuple(reasons)


def machine_warnings(environment: Environment) -> tuple[str, ...]:
    """Return what speaks against everything that was timed on a machine."""
    if not environment.overloaded:
        return ()
    load, cores = environment.load_average, environment.logical_cores
    return (f"load average {load:.1f} on {cores} cores",)
