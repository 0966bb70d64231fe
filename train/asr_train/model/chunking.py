"""The network on a stream: a chunk at a time, with a bounded look at what follows.

Latency-controlled bidirectional recurrence (Y. Zhang et al. 2016, arXiv:1510.08983; S. Xue and
Z. Yan 2017, "Improving latency-controlled BLSTM acoustic models for online speech recognition"):
the forward GRUs carry their states from chunk to chunk, the backward GRUs start anew on each chunk
and its look-ahead. Convolutions see the frames before a chunk that they need, and no further ahead
than the look-ahead. ``StreamingModel`` computes one chunk, for export; ``chunked_network`` computes
all chunks of whole utterances at once, for training and for measuring what streaming costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from asr_train.errors import ConfigError
from asr_train.model.config import SAMPLE_RATE, ModelConfig
from asr_train.model.network import GRUBlock, ResCNNBiGRU
from asr_train.model.recurrence import run_gru


@dataclass(frozen=True)
class Chunking:
    """How a stream is cut; both in frames of log-probabilities.

    Attributes:
        chunk_frames: emitted at a time, 1 or more.
        lookahead_frames: seen, but not emitted yet, 0 or more.
    """

    chunk_frames: int
    lookahead_frames: int

    @classmethod
    def from_milliseconds(
        cls, config: ModelConfig, chunk_ms: float, lookahead_ms: float
    ) -> Chunking:
        """The nearest whole frames; ``ConfigError`` if the chunk has none of them."""
        frame_ms = 1000 * config.frame_stride / SAMPLE_RATE
        chunk, lookahead = round(chunk_ms / frame_ms), round(lookahead_ms / frame_ms)
        if chunk < 1 or lookahead < 0:
            raise ConfigError(
                f"a chunk of {chunk_ms:g} ms with {lookahead_ms:g} ms of look-ahead is impossible: "
                f"frames are {frame_ms:g} ms apart, and a chunk has one or more"
            )
        return cls(chunk, lookahead)

    def latency_ms(self, config: ModelConfig) -> float:
        """Longest time, ms, from a sound to the arrival of the last sample that its text needs."""
        frames = self.chunk_frames + self.lookahead_frames
        return 1000 * frames * config.frame_stride / SAMPLE_RATE


def chunked_network(
    model: ResCNNBiGRU, features: Tensor, feature_lengths: Tensor, chunking: Chunking
) -> tuple[Tensor, Tensor]:
    """``model.network`` as on a stream: features [batch, mels, frames] to log-probabilities."""
    x, lengths = chunked_encode(model, features, feature_lengths, chunking)
    return model.letter_logprobs(x), lengths


def chunked_encode(
    model: ResCNNBiGRU, features: Tensor, feature_lengths: Tensor, chunking: Chunking
) -> tuple[Tensor, Tensor]:
    """``model.encode`` as on a stream: features [batch, mels, frames] to [batch, frames, hidden].

    Every chunk with its left context and look-ahead is an item of one large batch up to the
    recurrent layers. There, a forward GRU runs over all chunks in order, then from each chunk's end
    over its look-ahead; a backward GRU runs over each chunk and look-ahead by itself.
    """
    config = model.config
    lengths = (feature_lengths - 1) // config.time_stride + 1
    windows, first = _windows(config, features, chunking)
    batch, chunks, _, mel_frames = windows.shape
    context, chunk = config.context_frames, chunking.chunk_frames
    size = (mel_frames - 1) // config.time_stride + 1
    # Of each window's frames: their place in the utterance, and whether they are in it.
    place = first[:, None] + torch.arange(size, device=features.device)
    inside = (place >= 0) & (place < lengths[:, None, None])  # [batch, chunks, size]
    mask = inside.flatten(0, 1)[:, None, :, None]
    x = model.convolve(windows.flatten(0, 1), mask)[:, context:]
    x = x.reshape(batch, chunks, -1, x.shape[2])
    remaining = (lengths[:, None] - chunk * torch.arange(chunks, device=lengths.device)).clamp(
        min=0
    )
    remaining = remaining.clamp(max=size - context)
    last = len(model.gru_blocks) - 1
    for layer, block in enumerate(model.gru_blocks):
        assert isinstance(block, GRUBlock)
        x = block.dropout(
            _chunked_gru(block, functional.gelu(block.norm(x)), remaining, chunk, layer < last)
        )
    return x.flatten(1, 2)[:, : int(lengths.max())], lengths


def _windows(config: ModelConfig, features: Tensor, chunking: Chunking) -> tuple[Tensor, Tensor]:
    """[batch, chunks, mels, mel frames], and the first frame of each, context included [chunks]."""
    stride, context = config.time_stride, config.context_frames
    frames = (features.shape[2] - 1) // stride + 1
    chunks = -(-frames // chunking.chunk_frames)
    size = context + chunking.chunk_frames + chunking.lookahead_frames
    step = stride * chunking.chunk_frames
    wide = stride * size
    after = (chunks - 1) * step + wide - stride * context - features.shape[2]
    padded = functional.pad(features, (stride * context, max(after, 0)))
    windows = padded.unfold(2, wide, step)[:, :, :chunks].permute(0, 2, 1, 3)
    first = torch.arange(chunks, device=features.device) * chunking.chunk_frames - context
    return windows, first


def _chunked_gru(block: GRUBlock, x: Tensor, lengths: Tensor, chunk: int, ahead: bool) -> Tensor:
    """[batch, chunks, frames, inputs] to [batch, chunks, frames or ``chunk``, 2 * hidden].

    ``lengths``: of each window without its context [batch, chunks]. The frames of the look-ahead
    are computed for a layer above that needs them, if ``ahead``.
    """
    batch, chunks, size, _ = x.shape
    forward, backward = block.gru.forward_gru, block.gru.backward_gru
    spoken = run_gru(forward, x[:, :, :chunk].flatten(1, 2))
    spoken = spoken.reshape(batch, chunks, chunk, -1)
    windows, flat = x.flatten(0, 1), lengths.flatten()
    time = torch.arange(size, device=x.device)[None, :]
    reverse = (flat[:, None] - 1 - time).clamp(min=0).unsqueeze(2)
    back = run_gru(backward, windows.gather(1, reverse.expand(-1, -1, windows.shape[2])))
    back = back.gather(1, reverse.expand(-1, -1, back.shape[2]))
    back = back.reshape(batch, chunks, size, -1)
    if not ahead or size == chunk:
        return torch.cat([spoken, back[:, :, :chunk]], dim=3)
    initial = spoken[:, :, -1].flatten(0, 1)
    following = run_gru(forward, x[:, :, chunk:].flatten(0, 1), initial)
    following = following.reshape(batch, chunks, size - chunk, -1)
    spoken = torch.cat([spoken, following], dim=2)
    return torch.cat([spoken, back], dim=3)
