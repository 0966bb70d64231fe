"""The best pronunciations of words by n-grams of graphones: letters joined with their phonemes.

M. Bisani and H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
Communication 50 (2008). The search goes letter by letter through all words of one length at once.
"""

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

    keys: number of each node's context, then SYMBOL_BITS of its last symbol; sorted [nodes - 1].
    score: natural-log probability of each node's last symbol after its context [nodes].
    backoff: natural-log weight of the shorter context [nodes].
    suffix: each node's n-gram without its first symbol [nodes].
    """

    keys: npt.NDArray[np.uint32]
    score: Floats
    backoff: Floats
    suffix: Ints

    def find(self, contexts: Ints, symbols: Ints) -> Ints:
        """The node of each context and symbol, or 0 where there is none."""
        keys = (contexts.astype(np.uint32) << np.uint32(SYMBOL_BITS)) | symbols.astype(np.uint32)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, place + 1, 0).astype(np.int32)

    def extend(self, contexts: Ints, symbols: Ints) -> tuple[Floats, Ints]:
        """Natural-log probability of symbols after contexts, and the contexts that follow."""
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
    """The most probable sequences of graphones of words of one length.

    candidates: symbols of the graphones of each letter, padded with -1 [letters of the alphabet,
        most].
    letters: of each word, as rows of `candidates` [words, length].
    beam: sequences that are kept of each word.

    Returns natural-log probabilities [words, beam], -inf where there are fewer, the best first, and
    symbols [words, beam, length].
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
