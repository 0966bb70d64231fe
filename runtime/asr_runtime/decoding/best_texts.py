"""The best texts of a search, which a network compares once more if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import numpy as np

from asr_runtime.decoding.decoder import Decoder, P, S
from asr_runtime.decoding.rescoring import Rescorer
from asr_runtime.decoding.traceback import BestPath
from asr_runtime.decoding.word_histories import Context

T = TypeVar("T")


def best_texts(
    decoder: Decoder[S, P],
    state: S,
    write: Callable[[BestPath], T],
    context: Context | None = None,
) -> tuple[T, BestPath, Iterable[BestPath]]:
    """Return the best text of an utterance that ends here.

    Args:
        decoder: The decoder.
        state: How far its search has come, which may be changed; begun with notes if there is a
            rescorer, or if more than one text is wanted.
        write: Writes a path; ValueError if its frames do not suffice for that.
        context: What was said before; None for the beginning of a sentence.

    Returns:
        What was written of the best path, that path, and the best paths, the best of all first.
    """
    decoder.search.conclude(state)
    if decoder.rescorer is not None:
        paths = ranked_paths(decoder, decoder.rescorer, state, context)
        for path in paths:
            # The search joins paths, so that a part of one need not be a path.
            with suppress(ValueError):
                return write(path), path, chain([path], paths)
    found = decoder.search.finish(state)
    return write(found), found, decoder.search.alternatives(state)


def ranked_paths(
    decoder: Decoder[S, P], rescorer: Rescorer, state: S, context: Context | None = None
) -> Iterator[BestPath]:
    """Yield the best paths of a search that was begun with notes, the best of all first.

    Those that are too improbable to be compared come last.

    Args:
        decoder: The decoder.
        rescorer: Its rescorer.
        state: How far the search has come.
        context: What was said before; None for the beginning of a sentence.
    """
    graph = decoder.search.graph(state, rescorer.threshold)
    words, last = decoder.graph_words(graph)
    compared, least = set(), np.inf
    for path, ids in rescorer.best(graph, words, last, context):
        compared.add(ids)
        least = path.score
        yield path
    for path in decoder.search.alternatives(state):
        if tuple(decoder.word_ids(path.labels)) not in compared:
            least = min(least, path.score)
            yield replace(path, score=least)
