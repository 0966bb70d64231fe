"""The network: one GRU layer over words, whose rarer words have smaller embeddings.

The words are divided into clusters by frequency. The softmax decides among the most frequent words
and the clusters of the others, then within a cluster (Grave et al. 2017, "Efficient softmax
approximation for GPUs", arXiv:1609.04309). The embeddings of the words that go in have the same
clusters and sizes, and the same tables (Baevski and Auli 2019, "Adaptive input representations for
neural language modeling", arXiv:1809.10853).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn

from asr_train.errors import ConfigError
from asr_train.model.recurrence import run_gru
from asr_train.neural_lm.cross_entropy import linear_cross_entropy

SENTENCE_ROW = 0
"""Row of a sentence's end, which also stands before its first word."""
UNKNOWN_ROW = 1
"""Row of every word that the network does not know."""
FIRST_ROW = 2
"""Row of the most frequent word."""
MAX_ROWS = 1 << 16
"""Rows that texts of 16 bits a word can name."""


@dataclass(frozen=True)
class WordNetworkConfig:
    """Sizes of the network.

    Attributes:
        edges: Where the clusters of rows begin, from 0, and the number of rows [clusters + 1].
        dims: Numbers of an embedding in each cluster [clusters].
        hidden: Numbers of the GRU's state.

    Raises:
        ConfigError: The sizes do not fit together.
    """

    edges: tuple[int, ...] = (0, 2_500, 12_000, 40_000)
    dims: tuple[int, ...] = (128, 64, 32)
    hidden: int = 512

    def __post_init__(self) -> None:
        edges = self.edges
        if len(edges) < 3 or len(edges) != len(self.dims) + 1:
            raise ConfigError(
                f"{len(self.dims)} sizes of embeddings for {len(edges) - 1} clusters of words; "
                "give one a cluster, and two clusters or more"
            )
        if edges[0] != 0 or any(after <= before for before, after in pairwise(edges)):
            raise ConfigError(
                f"clusters of words that end at {', '.join(map(str, edges[1:]))}: each must begin "
                "after the one before it and before the vocabulary's end; give smaller numbers"
            )
        if edges[1] < FIRST_ROW or edges[-1] > MAX_ROWS:
            raise ConfigError(f"the first cluster has {FIRST_ROW} rows or more, all {MAX_ROWS:,}")
        if min(self.dims) < 1 or self.hidden < 1:
            raise ConfigError("embeddings and states have one number or more")

    @property
    def rows(self) -> int:
        """Return the number of words, with the sentence's end and the unknown word."""
        return self.edges[-1]

    @classmethod
    def of_weights(cls, weights: Mapping[str, Any]) -> WordNetworkConfig:
        """Return the sizes of a network whose weights these are.

        Args:
            weights: A state dict of `WordNetwork`.

        Raises:
            KeyError: A weight is missing.
            ConfigError: They are of no network.
        """
        tables: list[torch.Size] = []
        while f"tables.{len(tables)}" in weights:
            tables.append(weights[f"tables.{len(tables)}"].shape)
        edges = [0]
        for rows, _ in tables:
            edges.append(edges[-1] + rows)
        hidden = weights["gru.weight_hh_l0"].shape[1]
        return cls(tuple(edges), tuple(size for _, size in tables), hidden)


class WordNetwork(nn.Module):
    """Rows of words in, probabilities of the next ones out.

    Args:
        config: Its sizes.
    """

    def __init__(self, config: WordNetworkConfig) -> None:
        super().__init__()
        self.config = config
        dims, hidden = config.dims, config.hidden
        sizes = [end - begin for begin, end in pairwise(config.edges)]
        self.tables = nn.ParameterList(
            nn.Parameter(torch.randn(size, dim) * dim**-0.5)
            for size, dim in zip(sizes, dims, strict=True)
        )
        self.lift = nn.ModuleList(nn.Linear(dim, dims[0], bias=False) for dim in dims[1:])
        self.gru = nn.GRU(dims[0], hidden, batch_first=True)
        self.out = nn.ModuleList(nn.Linear(hidden, dim, bias=False) for dim in dims)
        self.cluster = nn.Linear(dims[0], len(dims) - 1)
        self.bias = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in sizes)

    def embed(self, rows: Tensor) -> Tensor:
        """Return what the GRU gets of words.

        Args:
            rows: Their rows, int64 of any shape.

        Returns:
            [*shape of the rows, dims[0]].
        """
        config, flat = self.config, rows.reshape(-1)
        embedded = self.tables[0].new_zeros(len(flat), config.dims[0])
        for cluster, dim in enumerate(config.dims):
            places = self._places(flat, cluster)
            if not len(places):
                continue
            found = F.embedding(flat[places] - config.edges[cluster], self.tables[cluster])
            found = found * dim**0.5
            lifted = found if cluster == 0 else self.lift[cluster - 1](found)
            embedded = embedded.index_put((places,), lifted)
        shaped: Tensor = embedded.view(*rows.shape, -1)
        return shaped

    def loss(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the mean of what `forward` returns, computed for training.

        Args:
            rows: As in `forward` [batch, words].
            targets: As in `forward` [batch, words].

        Returns:
            Nats a word, a scalar.
        """
        states, flat = self._states(rows), targets.reshape(-1)
        first = self.out[0](states)
        total = linear_cross_entropy(
            first,
            torch.cat([self.tables[0], self.cluster.weight]),
            torch.cat([self.bias[0], self.cluster.bias]),
            self._first_targets(flat),
        )
        for cluster in range(1, len(self.config.dims)):
            places = self._places(flat, cluster)
            if len(places):
                total = total + linear_cross_entropy(
                    self.out[cluster](states[places]),
                    self.tables[cluster],
                    self.bias[cluster],
                    flat[places] - self.config.edges[cluster],
                )
        return total / len(flat)

    def forward(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Say how improbable words are after those before them.

        Args:
            rows: SENTENCE_ROW, then the rows of words, int64 [batch, words].
            targets: The row that follows each of them, int64 [batch, words].

        Returns:
            Negative natural-log probability of each target [batch, words].
        """
        states, flat = self._states(rows), targets.reshape(-1)
        first = self.out[0](states)
        logits = torch.cat(
            [F.linear(first, self.tables[0], self.bias[0]), self.cluster(first)], dim=1
        )
        surprise = F.cross_entropy(logits, self._first_targets(flat), reduction="none")
        for cluster in range(1, len(self.config.dims)):
            places = self._places(flat, cluster)
            if len(places):
                within = F.linear(
                    self.out[cluster](states[places]), self.tables[cluster], self.bias[cluster]
                )
                right = flat[places] - self.config.edges[cluster]
                more = F.cross_entropy(within, right, reduction="none")
                surprise = surprise.index_add(0, places, more)
        return surprise.view(targets.shape)

    def _states(self, rows: Tensor) -> Tensor:
        """Return the GRU's state after each word of [batch, words], [batch * words, hidden]."""
        states = run_gru(self.gru, self.embed(rows))
        return states.reshape(-1, self.config.hidden)

    def _places(self, flat: Tensor, cluster: int) -> Tensor:
        """Return which of rows [words] are in a cluster, int64 [found]."""
        begin, end = self.config.edges[cluster : cluster + 2]
        return ((flat >= begin) & (flat < end)).nonzero()[:, 0]

    def _first_targets(self, flat: Tensor) -> Tensor:
        """Return the class of rows [words] among frequent words and clusters, int64 [words]."""
        edges = self.config.edges
        classes = torch.where(flat < edges[1], flat, 0)
        for cluster in range(1, len(edges) - 1):
            classes[self._places(flat, cluster)] = edges[1] + cluster - 1
        return classes
