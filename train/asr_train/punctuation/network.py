"""The network that predicts signs and capital letters: gated convolutions over words.

Dauphin et al., "Language modeling with gated convolutional networks" (2017, arXiv:1612.08083), but
looking some words ahead. How far it looks is fixed, so live text is punctuated with a fixed delay.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn

from asr_runtime.readable_text.annotation import Case, Sign

KERNEL = 3


class Layer(NamedTuple):
    """Where a convolution of three words looks.

    Attributes:
        dilation: Words from one of the three to the next.
        ahead: Words that it looks ahead, a multiple of the dilation.
    """

    dilation: int
    ahead: int

    @property
    def behind(self) -> int:
        """Return the words that it looks back."""
        return (KERNEL - 1) * self.dilation - self.ahead


LAYERS = (
    *(Layer(1, 1), Layer(1, 1), Layer(2, 2), Layer(2, 2), Layer(4, 0), Layer(8, 0)),
    *(Layer(2, 2), Layer(2, 2)),
)
"""Together, a word sees 10 words ahead and 34 back, which is as far as most questions reach."""


@dataclass(frozen=True)
class PunctuationConfig:
    """Sizes of the network.

    Attributes:
        words: Words with embeddings of their own.
        names: Further words known as names.
        rare: Further words known as no names.
        embedding: Numbers of a word's embedding.
        channels: Numbers of a word's state.
    """

    words: int = 14_000
    names: int = 25_000
    rare: int = 120_000
    embedding: int = 48
    channels: int = 112

    @property
    def words_ahead(self) -> int:
        """Return how many words after a word decide about it."""
        return sum(layer.ahead for layer in LAYERS)

    @property
    def words_behind(self) -> int:
        """Return how many words before a word decide about it."""
        return sum(layer.behind for layer in LAYERS)

    def to_dict(self) -> dict[str, int]:
        """Return the fields as plain JSON types."""
        return asdict(self)


class PunctuationNetwork(nn.Module):
    """Rows of words in, logits of signs and cases out.

    Args:
        config: Its sizes.
        rows: Rows of the table of embeddings; `WordTable.rows`.
    """

    def __init__(self, config: PunctuationConfig, rows: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(rows, config.embedding)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.project = nn.Linear(config.embedding, config.channels)
        self.norms = nn.ModuleList(nn.LayerNorm(config.channels) for _ in LAYERS)
        self.convolutions = nn.ModuleList(
            nn.Linear(KERNEL * config.channels, 2 * config.channels) for _ in LAYERS
        )
        self.norm = nn.LayerNorm(config.channels)
        self.heads = nn.Linear(config.channels, len(Sign) + len(Case))

    def forward(self, rows: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits.

        Args:
            rows: Rows of words [batch, words], int64.
            present: 1 where there is a word and 0 where there is none [batch, words], float.

        Returns:
            Logits of `Sign` [batch, words, 4] and of `Case` [batch, words, 3].
        """
        mask = present.unsqueeze(-1)
        state = self.project(self.embedding(rows)) * mask
        for layer, norm, convolution in zip(LAYERS, self.norms, self.convolutions, strict=True):
            around = F.pad(norm(state) * mask, (0, 0, layer.behind, layer.ahead))
            length = rows.shape[1]
            views = [
                around[:, tap * layer.dilation : tap * layer.dilation + length]
                for tap in range(KERNEL)
            ]
            value, gate = convolution(torch.cat(views, dim=-1)).chunk(2, dim=-1)
            state = state + value * torch.sigmoid(gate) * mask
        logits = self.heads(self.norm(state))
        return logits[..., : len(Sign)], logits[..., len(Sign) :]
