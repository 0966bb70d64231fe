"""One chunk of a stream through the network: what an exported model computes at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr_train.model.features import length_mask
from asr_train.model.network import GRUBlock, ResCNNBiGRU


class StreamingModel(nn.Module):
    """The model contract with a past: three more inputs and one more output.

    With no context, a chunk longer than the audio and a state of zeros, this is the model itself:
    one graph serves whole recordings and streams. See ``chunking`` for the method.
    """

    def __init__(self, model: ResCNNBiGRU) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_values: Tensor,
        input_lengths: Tensor,
        context_frames: Tensor,
        chunk_frames: Tensor,
        state: Tensor,
    ) -> tuple[Tensor, ...]:
        """Log-probabilities of a chunk, and the state for the next.

        Args:
            input_values: float32 [batch, samples]: context, chunk and look-ahead.
            input_lengths: int64 [batch], samples of all three.
            context_frames: int64 [batch]: frames of context, ``ModelConfig.context_frames`` or,
                near the beginning of a stream, all that there are.
            chunk_frames: int64 [batch]: frames to emit; at the end of a stream more than there are.
            state: float32 [batch, layers, hidden] of the forward GRUs; zeros at the beginning.

        Returns:
            ``logprobs`` float32 [batch, frames, 29], the certain blank past the length;
            ``output_lengths`` int64 [batch], frames emitted; from a model with a phoneme head
            ``phoneme_logprobs`` likewise; ``next_state``, as ``state``.
        """
        model = self.model
        features, feature_lengths = model.front_end(input_values, input_lengths)
        lengths = (feature_lengths - 1) // model.config.time_stride + 1
        frames = (features.shape[2] - 1) // model.config.time_stride + 1
        x = model.convolve(features, length_mask(lengths, frames)[:, None, :, None])
        state = state.to(x.dtype)  # which may compute in float16
        # Drop the context: each item's frames move to the left by as many.
        time = torch.arange(frames, device=x.device)[None, :]
        place = (time + context_frames[:, None]).clamp(max=frames - 1).unsqueeze(2)
        x = x.gather(1, place.expand(-1, -1, x.shape[2]))
        lengths = (lengths - context_frames).clamp(min=0)
        emitted = torch.minimum(lengths, chunk_frames)
        last = (emitted - 1).clamp(min=0)[:, None, None]
        states = []
        for layer, block in enumerate(model.gru_blocks):
            assert isinstance(block, GRUBlock)
            hidden = block.gru.hidden_size
            x = block.gru(functional.gelu(block.norm(x)), lengths, state[:, layer])
            states.append(x[:, :, :hidden].gather(1, last.expand(-1, -1, hidden)).squeeze(1))
        letters, *phonemes = model.heads(x, emitted)
        return letters, emitted, *phonemes, torch.stack(states, dim=1).float()
