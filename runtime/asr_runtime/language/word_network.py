"""A small neural language model that a language model file may hold beside its n-grams.

A gated recurrent unit (K. Cho et al. 2014, arXiv:1406.1078) reads the words of a sentence and says
how probable each next one is. Words are in clusters by how common they are: common ones have long
embeddings, rare ones short ones, and a rare word is its cluster's probability times its own within
that (E. Grave et al., "Efficient softmax approximation for GPUs", ICML 2017, arXiv:1609.04309).
Inputs and outputs share the embeddings (A. Baevski, M. Auli, "Adaptive input representations for
neural language modeling", ICLR 2019, arXiv:1809.10853).

The header of the file has ``network``: ``version``, ``hidden`` (size of the state), ``edges``
(first row of each cluster, and the number of rows) and ``dims`` (numbers in an embedding of each).
Row 0 is the sentence's start and end, row 1 every word that the network does not know. Arrays:

- ``network_words`` int32: the word id of each row from FIRST_ROW on.
- Matrices, row by row, int8, with a float32 factor of each row in ``…_scale``: ``network_table<c>``
  [rows, dims] of cluster c; ``network_lift<c>`` [dims of cluster 0, dims], from the embedding of a
  rarer cluster to the input; ``network_input`` [3 * hidden, dims of cluster 0] and
  ``network_recurrent`` [3 * hidden, hidden], gates in the order reset, update, candidate;
  ``network_out<c>`` [dims, hidden]; ``network_cluster`` [rarer clusters, dims of cluster 0].
- Vectors, float32: ``network_input_bias``, ``network_recurrent_bias`` [3 * hidden],
  ``network_bias<c>`` [rows], ``network_cluster_bias`` [rarer clusters].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

NETWORK = "network"
"""Key of the header that says that there is a network, and of what sizes."""

BOUNDARY_ROW = 0
OTHER_ROW = 1
FIRST_ROW = 2

_VERSION = 1
_MOST_ROWS = 1 << 17
_MOST_NUMBERS = 1 << 12  # of a state or an embedding

_FEW = 3
"""Vectors for which products with one at a time are faster than a product of two matrices, which
rearranges all of the large one first."""

_ROWS_AT_ONCE = 4
"""Rows of a product that the kernels of BLAS libraries make together; fewer take as long."""

_BLOCK = 32
"""States whose words' probabilities are computed at a time, so that they take little memory."""


class WordNetwork:
    """Probabilities of words after all words of a sentence before them.

    Attributes:
        row: Row of each word id; OTHER_ROW of those that it does not know. int64 [ids].
        hidden: Numbers of a state.
    """

    def __init__(
        self, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], ids: int
    ) -> None:
        """Read the network of a language model file.

        Args:
            header: Of the file.
            arrays: Of the file.
            ids: Number of word ids of its n-grams.

        Raises:
            ValueError: The arrays make no network.
            KeyError: An array is missing.
        """
        sizes = header[NETWORK]
        if sizes["version"] != _VERSION:
            raise ValueError(f"its network is of version {sizes['version']}")
        self.hidden = _size(sizes["hidden"])
        self._edges = [int(edge) for edge in sizes["edges"]]
        self._dims = [_size(dims) for dims in sizes["dims"]]
        if not (
            len(self._edges) == len(self._dims) + 1
            and self._edges[0] == 0
            and self._edges[1] > FIRST_ROW
            and sorted(set(self._edges)) == self._edges
            and self._edges[-1] <= _MOST_ROWS
        ):
            raise ValueError("its network has no such clusters")
        self._arrays = {
            name: array for name, array in arrays.items() if name.startswith(f"{NETWORK}_")
        }
        self._tables: dict[int, Floats] = {}
        width, tails = self._dims[0], len(self._dims) - 1
        self._input = self._matrix("input", 3 * self.hidden, width)
        self._recurrent = self._matrix("recurrent", 3 * self.hidden, self.hidden)
        self._input_bias = self._vector("input_bias", 3 * self.hidden)
        self._recurrent_bias = self._vector("recurrent_bias", 3 * self.hidden)
        self._out = [
            self._matrix(f"out{cluster}", dims, self.hidden)
            for cluster, dims in enumerate(self._dims)
        ]
        self._head = np.concatenate(
            (self._matrix("table0", self._edges[1], width), self._matrix("cluster", tails, width)),
            axis=1,
        )
        self._head_bias = np.concatenate(
            (self._vector("bias0", self._edges[1]), self._vector("cluster_bias", tails))
        )
        self._lift = [
            self._matrix(f"lift{cluster}", width, self._dims[cluster])
            for cluster in range(1, tails + 1)
        ]
        for cluster in range(1, tails + 1):
            self._codes(f"table{cluster}", self._rows(cluster), self._dims[cluster])
            self._vector(f"bias{cluster}", self._rows(cluster))
        words = self._arrays["network_words"]
        if words.dtype != np.int32 or len(words) != self._edges[-1] - FIRST_ROW:
            raise ValueError("its network knows other words")
        if words.min() < 0 or words.max() >= ids:
            raise ValueError("its network has a word that is not in the vocabulary")
        self.row = np.full(ids, OTHER_ROW, np.int64)
        self.row[words] = np.arange(FIRST_ROW, self._edges[-1])

    def inputs(self, rows: Rows) -> Floats:
        """Return what words bring to the state.

        Args:
            rows: Words, int64 [words].

        Returns:
            float32 [words, 3 * hidden].
        """
        embedded = np.empty((len(rows), self._dims[0]), np.float32)
        for cluster, place in self._by_cluster(rows):
            dims = self._dims[cluster]
            codes, scale = self._codes(f"table{cluster}", self._rows(cluster), dims)
            inside = rows[place] - self._edges[cluster]
            vectors = codes[inside] * (scale[inside, None] * np.float32(np.sqrt(dims)))
            embedded[place] = (
                vectors if cluster == 0 else _product(vectors, self._lift[cluster - 1])
            )
        brought = _product(embedded, self._input)
        brought += self._input_bias
        return brought

    def advance(self, inputs: Floats, states: Floats) -> Floats:
        """Return the states after one more word each.

        Args:
            inputs: What `inputs` returned for the words, float32 [words, 3 * hidden].
            states: States before them, float32 [words, hidden].

        Returns:
            float32 [words, hidden].
        """
        size = self.hidden
        recurrent = _product(states, self._recurrent)
        recurrent += self._recurrent_bias
        gates = recurrent[:, : 2 * size]
        gates += inputs[:, : 2 * size]
        # The logistic function, without an overflow.
        gates *= 0.5
        np.tanh(gates, out=gates)
        gates += 1.0
        gates *= 0.5
        candidate = recurrent[:, 2 * size :]
        candidate *= gates[:, :size]
        candidate += inputs[:, 2 * size :]
        np.tanh(candidate, out=candidate)
        following: Floats = candidate + gates[:, size:] * (states - candidate)
        return following

    def log_probs(self, states: Floats, before: Rows, rows: Rows) -> Floats:
        """Say how probable words are.

        Args:
            states: States, float32 [states, hidden].
            before: State before each word, int64 [words].
            rows: The words, int64 [words].

        Returns:
            Natural logarithms, float32 [words].
        """
        cluster = np.searchsorted(self._edges, rows, side="right") - 1
        inside = rows - np.array(self._edges)[cluster]
        heads = np.where(cluster == 0, inside, self._edges[1] + cluster - 1)
        found = _log_softmax(
            _product(states, self._out[0]), self._head, self._head_bias, before, heads
        )
        for tail in range(1, len(self._dims)):
            place = (cluster == tail).nonzero()[0]
            if len(place):
                which, state = np.unique(before[place], return_inverse=True)
                found[place] += _log_softmax(
                    _product(states[which], self._out[tail]),
                    self._table(tail),
                    self._arrays[f"network_bias{tail}"],
                    state,
                    inside[place],
                )
        return found

    def _by_cluster(self, rows: Rows) -> list[tuple[int, Rows]]:
        """Return the clusters that words [words] are in, each with their places [in it]."""
        cluster = np.searchsorted(self._edges, rows, side="right") - 1
        places = [(cluster == each).nonzero()[0] for each in range(len(self._dims))]
        return [(each, place) for each, place in enumerate(places) if len(place)]

    def _rows(self, cluster: int) -> int:
        return self._edges[cluster + 1] - self._edges[cluster]

    def _table(self, cluster: int) -> Floats:
        """Return the embeddings of a cluster, float32 [dims, rows]."""
        if cluster not in self._tables:
            # Made when they are first needed, and kept: they are asked for at every word.
            name, rows = f"table{cluster}", self._rows(cluster)
            self._tables[cluster] = self._matrix(name, rows, self._dims[cluster])
        return self._tables[cluster]

    def _matrix(self, name: str, rows: int, columns: int) -> Floats:
        """Return a matrix of the file, as `_product` wants it: float32 [columns, rows]."""
        codes, scale = self._codes(name, rows, columns)
        return np.multiply(codes.T, scale, out=np.empty((columns, rows), np.float32))

    def _codes(self, name: str, rows: int, columns: int) -> tuple[npt.NDArray[np.int8], Floats]:
        """Return a matrix as it lies in the file, int8 [rows, columns], and its factors [rows]."""
        codes = self._arrays[f"network_{name}"]
        if codes.dtype != np.int8 or len(codes) != rows * columns:
            raise ValueError(f"network_{name} has another size")
        return codes.reshape(rows, columns), self._vector(f"{name}_scale", rows)

    def _vector(self, name: str, size: int) -> Floats:
        """Return a vector of the file, float32 [size]."""
        vector: Floats = self._arrays[f"network_{name}"]
        if vector.dtype != np.float32 or len(vector) != size or not np.isfinite(vector).all():
            raise ValueError(f"network_{name} has another size")
        return vector


def _product(vectors: Floats, matrix: Floats) -> Floats:
    """Multiply some vectors by a matrix.

    Args:
        vectors: float32 [vectors, dims].
        matrix: float32 [dims, rows].

    Returns:
        float32 [vectors, rows].
    """
    number = len(vectors)
    if number <= _FEW:
        return np.stack([vector @ matrix for vector in vectors])
    missing = -number % _ROWS_AT_ONCE
    if missing:
        nothing = np.zeros((missing, vectors.shape[1]), np.float32)
        vectors = np.concatenate((vectors, nothing))
    product: Floats = (vectors @ matrix)[:number]
    return product


def _log_softmax(vectors: Floats, table: Floats, bias: Floats, vector: Rows, row: Rows) -> Floats:
    """Return log-probabilities of rows of a table, some vectors at a time.

    Args:
        vectors: float32 [vectors, dims].
        table: float32 [dims, rows].
        bias: float32 [rows].
        vector: Vector of each question, int64 [questions].
        row: Row of each question, int64 [questions].

    Returns:
        float32 [questions].
    """
    found = np.empty(len(row), np.float32)
    for begin in range(0, len(vectors), _BLOCK):
        logits = _product(vectors[begin : begin + _BLOCK], table)
        logits += bias
        logits -= logits.max(axis=1, keepdims=True)
        asked = ((vector >= begin) & (vector < begin + _BLOCK)).nonzero()[0]
        place = vector[asked] - begin
        found[asked] = logits[place, row[asked]]
        found[asked] -= np.log(np.exp(logits, out=logits).sum(axis=1))[place]
    return found


def _size(number: Any) -> int:
    if not isinstance(number, int) or not 1 <= number <= _MOST_NUMBERS:
        raise ValueError("its network has no such size")
    return number
