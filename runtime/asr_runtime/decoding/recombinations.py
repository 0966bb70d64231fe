"""What a beam search gave up, kept so that the next best texts can be found.

Hypotheses with the same future are joined, and only the best of them goes on. Where the others are
noted, with how much less probable they were, the search leaves a word graph behind (S. Ortmanns,
H. Ney, X. Aubert, "A word graph algorithm for large vocabulary continuous speech recognition",
Computer Speech and Language 11, 1997). Its best paths are those of the best hypothesis in which
some beginnings are replaced by others that were joined to them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from asr_runtime.decoding.hypotheses import (
    BLANK,
    LABEL,
    PREFIX,
    SPOKEN,
    TEXT,
    Floats,
    Hypotheses,
    Integers,
)
from asr_runtime.decoding.traceback import BestPath, Traceback
from asr_runtime.decoding.word_graph import WordGraph, build_word_graph

_MOST_TRIES = 2000
"""Paths that are looked at before the search for more texts is given up."""

_FARTHEST = 1e4
"""Nats below the best path from which on a path is none, but a mark of what cannot be."""


class Recombinations:
    """Notes, frame by frame, of hypotheses that were joined to better ones with another text."""

    def __init__(self) -> None:
        """Begin with no notes."""
        # By the prefix's number; number 0 is the empty text.
        self._texts = [np.zeros(1, np.int64)]
        self._better: list[Integers] = []
        self._worse: list[Integers] = []
        self._prefixes: list[Integers] = []
        self._costs: list[Floats] = []
        self._distances: list[Floats] = []
        self._labels: Integers | None = None

    def name(self, texts: Integers) -> None:
        """Note the hashes of the texts of prefixes that were just added [prefixes]."""
        self._texts.append(texts.copy())

    def note(self, options: Hypotheses, others: Integers, best: Integers) -> None:
        """Note hypotheses that are joined to better ones in one frame.

        Args:
            options: All hypotheses of the frame.
            others: Those with another text than the best of the same future, int64 [joined].
            best: The best hypothesis of each one's future, int64 [hypotheses].
        """
        scores = np.maximum(options.scores[BLANK], options.scores[SPOKEN])
        joined = options.fields.take(others, axis=1)
        given_up = scores.take(others)
        self._better.append(options.fields[TEXT].take(best.take(others)))
        self._worse.append(joined[TEXT])
        self._prefixes.append(joined[PREFIX])
        self._costs.append(scores.take(best.take(others)) - given_up)
        self._distances.append(scores.max() - given_up)
        self._labels = joined[LABEL]

    def settle(self, traceback: Traceback, frame: int) -> None:
        """Add the prefixes of what was noted in a frame to the traceback where they lack."""
        if self._labels is None:
            return
        prefixes = self._prefixes[-1]
        new = (prefixes < 0).nonzero()[0]
        prefixes[new] = traceback.add(~prefixes[new], self._labels.take(new), frame)
        self.name(self._worse[-1].take(new))
        self._labels = None

    def commit(
        self, traceback: Traceback, prefixes: Integers, labels: int, shared: int
    ) -> Integers:
        """Forget the beginning of all texts, and what was noted of texts with another.

        Args:
            traceback: How the hypotheses were spelled; it forgets too.
            prefixes: Those of the hypotheses, int64 [hypotheses].
            labels: How many labels to forget.
            shared: How many more labels they share, and a text must to stay noted.

        Returns:
            The hypotheses' new prefixes, int64 [hypotheses].
        """
        texts = np.concatenate(self._texts)
        root = texts[traceback.ancestors(int(prefixes[0]))[labels - 1]] if labels else texts[0]
        beginning = traceback.follow(int(prefixes[0]))[0][: labels + shared]
        noted = np.concatenate([np.zeros(0, np.int64), *self._prefixes])
        spelled, _ = traceback.paths(noted)
        fits = np.zeros(len(noted), np.bool_)
        if spelled.shape[1] >= len(beginning):
            fits = (spelled[:, : len(beginning)] == beginning).all(axis=1)
        if len(noted):
            self._better[:] = [np.concatenate(self._better)[fits]]
            self._worse[:] = [np.concatenate(self._worse)[fits]]
            self._costs[:] = [np.concatenate(self._costs)[fits]]
            self._distances[:] = [np.concatenate(self._distances)[fits]]
        everything = np.concatenate((prefixes, noted[fits]))
        texts = texts[traceback.kept(everything, labels)]
        texts[0] = root
        self._texts = [texts]
        everything = traceback.keep(everything, labels)
        if len(noted):
            self._prefixes[:] = [everything[len(prefixes) :]]
        return everything[: len(prefixes)]

    def paths(self, traceback: Traceback, endings: Iterable[BestPath]) -> Iterator[BestPath]:
        """Yield the best paths.

        The score of a path with a replaced beginning is that of the path that it was made from,
        less what the beginning was less probable when it was joined. Of the frames in which the
        same two texts met, that one counts in which the worse was nearest to the best hypothesis.

        Args:
            traceback: How the hypotheses were spelled.
            endings: The hypotheses at the end, with different texts and their prefixes.

        Yields:
            Paths with different labels, the most probable first.
        """
        texts = np.concatenate(self._texts)
        joined = self._joined()
        number = count()
        # Cost, a number to tell equal ones apart, prefix, the path that it belongs to, and how many
        # of that path's labels it stands for; None for all.
        heap: list[tuple[float, int, int, BestPath, int | None]] = [
            (-ending.score, next(number), ending.prefix, ending, None) for ending in endings
        ]
        heapq.heapify(heap)
        seen: set[bytes] = set()
        farthest = heap[0][0] + _FARTHEST
        for _ in range(_MOST_TRIES):
            if not heap or heap[0][0] > farthest:
                return
            cost, _, prefix, path, place = heapq.heappop(heap)
            if place is not None:
                path = replace(traceback.with_beginning(path, place, prefix), score=-cost)
            spelled = path.labels.tobytes()
            if spelled in seen:
                continue
            seen.add(spelled)
            yield path
            for place, ancestor in enumerate(traceback.ancestors(prefix).tolist(), 1):
                for other, more in joined.get(int(texts[ancestor]), ()):
                    heapq.heappush(heap, (cost + more, next(number), other, path, place))

    def graph(
        self,
        traceback: Traceback,
        endings: Sequence[BestPath],
        threshold: float,
        silent: int = -1,
    ) -> WordGraph:
        """Return the graph of all texts near the best one.

        Args:
            traceback: How the hypotheses were spelled.
            endings: As for `paths`.
            threshold: Nats below the best text that a text may be.
            silent: Label that is left out at a text's end; -1 for none.
        """
        texts = np.concatenate(self._texts)
        return build_word_graph(traceback, texts, self._joined(), endings, threshold, silent)

    def _joined(self) -> dict[int, list[tuple[int, float]]]:
        """Return by the better text's hash what was joined to it: prefixes and costs."""
        if not self._better:
            return {}
        better, worse = np.concatenate(self._better), np.concatenate(self._worse)
        prefixes = np.concatenate(self._prefixes)
        costs, distances = np.concatenate(self._costs), np.concatenate(self._distances)
        order = np.lexsort((distances, worse, better))
        better, worse = better[order], worse[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (better[1:] != better[:-1]) | (worse[1:] != worse[:-1])
        found: dict[int, list[tuple[int, float]]] = {}
        for text, index in zip(better[first].tolist(), order[first].tolist(), strict=True):
            found.setdefault(text, []).append((int(prefixes[index]), float(costs[index])))
        return found
