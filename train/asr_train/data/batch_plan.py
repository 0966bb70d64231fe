"""Which utterances form each batch of an epoch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import Enum


class PadTo(str, Enum):
    """What a sample is padded to.

    Attributes:
        batch: the longest of its batch; batches hold samples of like length.
        max: the longest of all sets, as the original project did it.
    """

    batch = "batch"
    max = "max"


def plan_epoch(
    durations: Sequence[float],
    batch_seconds: float,
    *,
    pad_to: PadTo = PadTo.batch,
    longest: float | None = None,
    min_items: int = 1,
    seed: int | None = None,
) -> list[list[int]]:
    """Split utterances into batches whose padded size stays within ``batch_seconds``.

    Args:
        durations: seconds of each utterance.
        batch_seconds: padded audio a batch, seconds; a longer utterance is a batch of its own.
        pad_to: like lengths together (``batch``), or any (``max``).
        longest: seconds every sample is padded to with ``PadTo.max``.
        min_items: fewest utterances a batch (the number of processes that share it).
        seed: of the shuffle; None gives shortest first, unshuffled.

    Returns:
        Every index exactly once, as a list of batches.
    """
    rng = random.Random(seed)
    order = list(range(len(durations)))
    if seed is not None and pad_to is PadTo.max:
        rng.shuffle(order)
    else:
        # Lengths jittered by up to 10 %: like lengths stay together, neighbours change each epoch.
        jitter = 0.0 if seed is None else 0.1
        keys = [duration * rng.uniform(1 - jitter, 1 + jitter) for duration in durations]
        order.sort(key=keys.__getitem__)
    batches: list[list[int]] = []
    current: list[int] = []
    width = 0.0
    for index in order:
        wider = max(width, longest if longest and pad_to is PadTo.max else durations[index])
        if len(current) >= min_items and wider * (len(current) + 1) > batch_seconds:
            batches.append(current)
            current, wider = [], wider if pad_to is PadTo.max else durations[index]
        current.append(index)
        width = wider
    if current:
        if batches and len(current) < min_items:
            batches[-1].extend(current)
        else:
            batches.append(current)
    if seed is not None:
        rng.shuffle(batches)
    return batches
