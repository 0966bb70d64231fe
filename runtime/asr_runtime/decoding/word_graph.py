"""What a beam search might have said, as a graph in which texts that differ in places are one.

Its nodes are the prefixes of the texts that are near the best one. Each goes on from its parent by
a label, and others may take its place that were joined to it (S. Ortmanns, H. Ney, X. Aubert, "A
word graph algorithm for large vocabulary continuous speech recognition", Computer Speech and
Language 11, 1997). A text is a way from the root to an ending.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.hypotheses import Integers
from asr_runtime.decoding.traceback import BestPath, Traceback

Joined = Mapping[int, Sequence[tuple[int, float]]]
"""By the hash of a text what was joined to it: prefixes, and by how much they were worse."""


@dataclass(frozen=True)
class WordGraph:
    """A graph of prefixes; node 0 is the root, the prefix of no label.

    Attributes:
        traceback: Spells the prefixes.
        prefixes: Number of each node's prefix, int64 [nodes].
        parents: Node before each node, [nodes]; of the root the root.
        depths: Labels of each node's prefix, [nodes].
        distances: Nats from the search's best text to the best one through each node, [nodes].
        others: Nodes that may take the place of each, and by how many nats they are worse, [nodes].
        levels: Nodes but the root, those first that need no others; of each level, in any order.
        endings: The best texts' own paths, the best of all first.
        ends: Node that each ending ends at, [endings].
        silent: Label that is left out at a text's end; -1 for none.
    """

    traceback: Traceback
    prefixes: Integers
    parents: list[int]
    depths: list[int]
    distances: list[float]
    others: list[list[tuple[int, float]]]
    levels: list[list[int]]
    endings: list[BestPath]
    ends: list[int]
    silent: int = -1

    def way(self, ending: int) -> list[int]:
        """Return the nodes that an ending's own path leads through, the last one first."""
        node, nodes = self.ends[ending], []
        while node:
            nodes.append(node)
            node = self.parents[node]
        return nodes

    def with_beginning(self, path: BestPath, node: int, other: int) -> BestPath:
        """Return a path through a node with the beginning of another node in its place."""
        prefix = int(self.prefixes[other])
        return self.traceback.with_beginning(path, self.depths[node], prefix)

    def finished(self, path: BestPath, score: float) -> BestPath:
        """Return a path with its score, without the label that is left out at the end."""
        return replace(path.without_last(self.silent), score=score)


def build_word_graph(
    traceback: Traceback,
    texts: Integers,
    joined: Joined,
    endings: Sequence[BestPath],
    threshold: float,
    silent: int = -1,
) -> WordGraph:
    """Build the graph of all texts that are near the best one.

    Args:
        traceback: How the hypotheses were spelled.
        texts: Hash of each prefix's text, int64 [prefixes].
        joined: What was joined to each text.
        endings: The hypotheses at the end, with different texts and their prefixes.
        threshold: Nats below the best text that a text may be, by the search.
        silent: As in `WordGraph`.

    Returns:
        The graph.
    """
    endings = sorted(endings, key=lambda ending: -ending.score)
    best = endings[0].score
    endings = [ending for ending in endings if best - ending.score <= threshold]
    parents = traceback.parents
    distances = _distances(parents, texts, joined, endings, threshold)
    # The root is the first; the others are in the order of their distances, then numbers.
    number = {prefix: node for node, prefix in enumerate([0, *(p for p in distances if p)])}
    prefixes = np.array(list(number), np.int64)
    distance = [distances[prefix] for prefix in number]
    others = [
        [
            (number[other], more)
            for other, more in joined.get(text, ())
            if other in number and distance[node] + more <= threshold
        ]
        for node, text in enumerate(texts[prefixes].tolist())
    ]
    # Nothing takes the place of nothing.
    others[0] = []
    parent = [number[prefix] for prefix in parents[prefixes].tolist()]
    levels = _levels(parent, others)
    depths = [0] * len(prefixes)
    # A prefix has a larger number than what it is made of.
    for node in np.argsort(prefixes)[1:].tolist():
        depths[node] = depths[parent[node]] + 1
    ends = [number[ending.prefix] for ending in endings]
    return WordGraph(
        traceback, prefixes, parent, depths, distance, others, levels, endings, ends, silent
    )


def _distances(
    parents: npt.NDArray[np.int32],
    texts: Integers,
    joined: Joined,
    endings: Sequence[BestPath],
    threshold: float,
) -> dict[int, float]:
    """Return by its prefix how far each node is from the best text, the nearest first.

    Args:
        parents: Prefix before each prefix, int32 [prefixes].
        texts: Hash of each prefix's text, int64 [prefixes].
        joined: What was joined to each text.
        endings: The best texts' own paths, the best of all first.
        threshold: The farthest distance.
    """
    found: dict[int, float] = {}
    heap = [(endings[0].score - ending.score, ending.prefix) for ending in endings]
    heapq.heapify(heap)
    while heap:
        distance, prefix = heapq.heappop(heap)
        if prefix in found:
            continue
        found[prefix] = distance
        if not prefix:
            continue
        heapq.heappush(heap, (distance, int(parents[prefix])))
        for other, more in joined.get(int(texts[prefix]), ()):
            if distance + more <= threshold:
                heapq.heappush(heap, (distance + more, other))
    return found


def _levels(parents: Sequence[int], others: list[list[tuple[int, float]]]) -> list[list[int]]:
    """Order nodes so that what each needs comes before it; what cannot be so is left out.

    Two texts may each have been joined to the other, in different frames. Of such a circle the
    part that comes back to its beginning is taken out of ``others``.

    Args:
        parents: Node before each, [nodes].
        others: As in `WordGraph`; it is changed.

    Returns:
        Nodes of each level.
    """
    level = [-1] * len(parents)
    level[0] = 0
    begun = [False] * len(parents)
    for first in range(1, len(parents)):
        stack = [first]
        while stack:
            node = stack[-1]
            if level[node] >= 0:
                stack.pop()
            elif not begun[node]:
                begun[node] = True
                needed = [parents[node], *(other for other, _ in others[node])]
                stack += [each for each in needed if level[each] < 0 and not begun[each]]
            else:
                stack.pop()
                begun[node] = False
                if level[parents[node]] >= 0:
                    others[node] = [each for each in others[node] if level[each[0]] >= 0]
                    needed = [parents[node], *(other for other, _ in others[node])]
                    level[node] = 1 + max(level[each] for each in needed)
    levels: list[list[int]] = [[] for _ in range(max(level))]
    for node, place in enumerate(level[1:], 1):
        levels[place - 1].append(node)
    return levels
