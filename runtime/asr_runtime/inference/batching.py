"""Which utterances run through the model together."""

from collections.abc import Iterator, Sequence

MAX_BATCH_SECONDS = 60.0
"""Padded audio in one run of the model, which bounds memory; a longer utterance runs alone."""

MAX_BATCH_ITEMS = 32


def batches(lengths: Sequence[int], sample_rate: int) -> Iterator[list[int]]:
    """Indices in groups of similar length, each bounded in its number and padded size.

    lengths: of the utterances, in samples.
    """
    limit = MAX_BATCH_SECONDS * sample_rate
    batch: list[int] = []
    # Longest first: the first of a batch is its padded length, and memory peaks at the start.
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and (
            len(batch) == MAX_BATCH_ITEMS or (len(batch) + 1) * lengths[batch[0]] > limit
        ):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
