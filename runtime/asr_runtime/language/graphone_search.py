"""The best pronunciations of words by n-grams of graphones: letters joined with their phonemes.

M. Bisani and H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
Communication 50 (2008). The search goes letter by letter through all words of one length at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BOUNDARY = 0
"""Symbol before and after a word; graphone i has symbol i + 1."""
SYMBOL_BITS = 8

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class GraphoneTrie:
    """N-grams as nodes: 0 is the empty one, then those of one symbol, of two, and so on.

    Attributes:
        keys: Number of each node's context, then SYMBOL_BITS of its last symbol; sorted, uint32
            [nodes - 1].
        score: Natural-log probability of each node's last symbol after its context, float32
            [nodes].
        backoff: Natural-log weight of the shorter context, float32 [nodes].
        suffix: Each node's n-gram without its first symbol, int32 [nodes].
    """

    keys: npt.NDArray[np.uint32]
    score: Floats
    backoff: Floats
    suffix: Ints

    def find(self, contexts: Ints, symbols: Ints) -> Ints:
        """Return the node of each context and symbol, or 0 where there is none, int32 [queries].

        Args:
            contexts: Nodes, int32 [queries].
            symbols: int32 [queries].
        """
        keys = (contexts.astype(np.uint32) << np.uint32(SYMBOL_BITS)) | symbols.astype(np.uint32)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, place + 1, 0).astype(np.int32)

    def extend(self, contexts: Ints, symbols: Ints) -> tuple[Floats, Ints]:
        """Score symbols after contexts.

        Args:
            contexts: Nodes, int32 [queries].
            symbols: int32 [queries].

        Returns:
            Natural-log probabilities, float32 [queries], and the contexts that follow, int32
            [queries].
        """
        score = np.zeros(len(contexts), np.float32)
        node = np.zeros(len(contexts), np.int32)
        left = np.arange(len(contexts))
        context = contexts
        while len(left):
            found = self.find(context, symbols[left])
            hit = found > 0
            node[left[hit]] = found[hit]
            score[left[hit]] += self.score[found[hit]]
            missed = ~hit & (context > 0)
            left, context = left[missed], context[missed]
            score[left] += self.backoff[context]
            context = self.suffix[context]
        return score, node


def search(
    trie: GraphoneTrie,
    candidates: npt.NDArray[np.int32],
    letters: npt.NDArray[np.int32],
    beam: int,
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Find the most probable sequences of graphones of words of one length.

    Args:
        trie: N-grams of graphones.
        candidates: Symbols of the graphones of each letter, padded with -1, int32 [letters of the
            alphabet, most].
        letters: Letters of each word, as rows of `candidates`, int32 [words, length].
        beam: Sequences that are kept of each word.

    Returns:
        Natural-log probabilities, float32 [words, beam], -inf where there are fewer, the best
        first, and symbols, int32 [words, beam, length].
    """
    words, length = letters.shape
    choices = candidates.shape[1]
    start = trie.find(np.zeros(1, np.int32), np.full(1, BOUNDARY, np.int32))
    state = np.repeat(start[:, None], words, 0)
    score = np.zeros((words, 1), np.float32)
    history = np.zeros((words, 1, 0), np.int32)
    rows = np.arange(words)[:, None]
    for place in range(length):
        symbols = candidates[letters[:, place]]
        grown = np.full((words, state.shape[1], choices), -np.inf, np.float32)
        node = np.zeros(grown.shape, np.int32)
        live = (score > -np.inf)[:, :, None] & (symbols >= 0)[:, None, :]
        word, hypothesis, choice = np.nonzero(live)
        gain, found = trie.extend(state[word, hypothesis], symbols[word, choice])
        grown[live] = score[word, hypothesis] + gain
        node[live] = found
        flat = grown.reshape(words, -1)
        number = min(beam, flat.shape[1])
        best = np.argpartition(-flat, number - 1, axis=1)[:, :number]
        score = flat[rows, best]
        state = node.reshape(words, -1)[rows, best]
        chosen = np.take_along_axis(symbols, best % choices, axis=1)
        history = np.concatenate([history[rows, best // choices], chosen[:, :, None]], axis=2)
    gain, _ = trie.extend(state.ravel(), np.full(state.size, BOUNDARY, np.int32))
    score = score + gain.reshape(score.shape)
    order = np.argsort(-score, axis=1, kind="stable")
    return score[rows, order], history[rows, order]
