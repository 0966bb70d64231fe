from __future__ import annotations

import numpy as np
import pytest

from asr_runtime.language.trie import grow_trie, link_edges


def sorted_sequences(generator, number):
    """Sequences of 1 to 6 labels of three, many of them equal or beginnings of others, sorted."""
    lengths = generator.integers(1, 7, number)
    return sorted(tuple(generator.integers(1, 4, length).tolist()) for length in lengths)


def padded(sequences):
    labels = np.zeros((len(sequences), max(map(len, sequences))), np.uint8)
    for row, sequence in zip(labels, sequences, strict=True):
        row[: len(sequence)] = sequence
    return labels, np.array([len(sequence) for sequence in sequences])


@pytest.mark.parametrize("number", [1, 2, 300])
@pytest.mark.parametrize("gaining", [False, True])
def test_every_node_is_one_beginning_with_the_best_of_what_goes_on(number, gaining):
    generator = np.random.default_rng(number)
    sequences = sorted_sequences(generator, number)
    scores = generator.normal(size=number).astype(np.float32)
    gains = None
    if gaining:
        gains = np.where(generator.random(number) < 0.1, 5.0, 0.0).astype(np.float32)
    tree = grow_trie(*padded(sequences), scores, gains)

    begins = {sequence[:size] for sequence in sequences for size in range(len(sequence) + 1)}
    by_level = sorted(begins, key=lambda begin: (len(begin), begin))
    assert tree.nodes == len(by_level)
    path = [()]
    for parent, label in zip(tree.parents.tolist(), tree.labels.tolist(), strict=True):
        path.append((*path[parent], label))
    assert path == by_level
    assert tree.depth.tolist() == [len(begin) for begin in by_level]
    assert [path[node] for node in tree.final.tolist()] == sequences
    for node, begin in enumerate(path[1:], 1):
        below = [
            (scores[index], scores[index] + (gains[index] if gaining else 0) * len(begin) / size)
            for index, size in enumerate(map(len, sequences))
            if sequences[index][: len(begin)] == begin
        ]
        best = max(worth for _, worth in below)
        assert tree.best[node] == pytest.approx(best, abs=1e-5)
        if gaining:
            without = max(score for score, _ in below)
            assert tree.promised[node] == pytest.approx(best - without, abs=1e-5)
    assert tree.best[0] == 0.0

    edges = link_edges(tree.parents, tree.labels, tree.nodes, np.arange(4))
    after = edges.after(np.arange(tree.nodes + 1), np.arange(4))
    for node, begin in enumerate(path):
        for label in range(4):
            expected = by_level.index((*begin, label)) if (*begin, label) in begins else tree.nodes
            assert after[node, label] == expected
    assert (after[tree.nodes] == tree.nodes).all()
