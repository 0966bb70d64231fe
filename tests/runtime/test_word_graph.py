"""The graph of what a search might have said: what is in it, and in which order."""

import numpy as np
import pytest

from asr_runtime.decoding.traceback import BestPath, Traceback
from asr_runtime.decoding.word_graph import build_word_graph


@pytest.fixture
def traceback():
    """Prefixes 1: *1*, 2: *2*, 3: *1 3*, 4: *2 4*, 5: *2 4 5*."""
    traceback = Traceback()
    for parent, label in ((0, 1), (0, 2), (1, 3), (2, 4), (4, 5)):
        traceback.add(np.array([parent]), np.array([label]), 10 * label)
    return traceback


TEXTS = np.array([0, 11, 12, 13, 14, 15])


def ending(traceback, prefix, score):
    return BestPath(*traceback.follow(prefix), score, prefix)


def graph(traceback, joined, *endings, threshold=5.0, silent=-1):
    return build_word_graph(traceback, TEXTS, joined, endings, threshold, silent)


def spelled(found, node):
    return found.traceback.follow(int(found.prefixes[node]))[0].tolist()


def test_what_is_near_enough_is_in_it(traceback):
    """As far as the best text through it is from the best one of all."""
    joined = {13: [(4, 2.0)], 11: [(2, 1.0)]}
    best, worse = ending(traceback, 3, -10.0), ending(traceback, 5, -13.0)
    found = graph(traceback, joined, worse, best)
    assert found.endings == [best, worse]
    assert [spelled(found, node) for node in found.ends] == [[1, 3], [2, 4, 5]]
    distances = {
        tuple(spelled(found, node)): distance for node, distance in enumerate(found.distances)
    }
    assert distances == {(): 0.0, (1,): 0.0, (1, 3): 0.0, (2,): 1.0, (2, 4): 2.0, (2, 4, 5): 3.0}
    near = graph(traceback, joined, worse, best, threshold=1.5)
    assert [spelled(near, node) for node in near.ends] == [[1, 3]]
    assert sorted(spelled(near, node) for node in range(len(near.prefixes))) == [
        [],
        [1],
        [1, 3],
        [2],
    ]


def test_what_a_node_needs_comes_before_it(traceback):
    found = graph(traceback, {13: [(4, 2.0)]}, ending(traceback, 3, -10.0))
    level = {node: place for place, nodes in enumerate(found.levels) for node in nodes}
    assert sorted(level) == list(range(1, len(found.prefixes)))
    for node, place in level.items():
        assert level.get(found.parents[node], -1) < place
        assert all(level[other] < place for other, _ in found.others[node])
    (node,) = found.ends
    ((other, more),) = found.others[node]
    assert (spelled(found, other), more) == ([2, 4], 2.0)
    assert level[node] == level[other] + 1


@pytest.mark.parametrize("joined", [{11: [(2, 1.0)], 12: [(1, 0.5)]}, {12: [(4, 1.0)]}])
def test_circles_are_cut(traceback, joined):
    """Two texts joined to each other in different frames, or one to a longer one of itself."""
    found = graph(traceback, joined, ending(traceback, 3, -10.0), ending(traceback, 5, -10.5))
    assert sum(map(len, found.levels)) == len(found.prefixes) - 1
    assert sum(map(len, found.others)) == len(joined) - 1


def test_paths_with_other_beginnings(traceback):
    found = graph(traceback, {13: [(4, 2.0)]}, ending(traceback, 3, -10.0), silent=4)
    (node,), ((other, _),) = found.ends, found.others[found.ends[0]]
    path = found.with_beginning(found.endings[0], node, other)
    assert path.labels.tolist() == [2, 4]
    assert path.start_frames.tolist() == [20, 40]
    whole = found.finished(path, -12.0)
    assert (whole.labels.tolist(), whole.start_frames.tolist(), whole.score) == ([2], [20], -12.0)
