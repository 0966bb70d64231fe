"""A bidirectional GRU that exports as one ONNX ``GRU`` node.

The exporter would take ``nn.GRU`` apart into a loop over time. Here the layer is an operator of our
own, opaque to the exporter, with a translation to ONNX's ``GRU`` (opset 14), which ONNX Runtime has
a fast kernel for and whose ``sequence_lens`` keeps padding out of the backward direction.

ONNX orders the gates update, reset, candidate; PyTorch reset, update, candidate. Weights are
reordered once, ahead of the export, so that they become plain initialisers.
"""

from __future__ import annotations

from typing import Any

import torch
from onnxscript import opset18 as op
from torch import Tensor, nn

from asr_train.model.network import BidirectionalGRU


@torch.library.custom_op("asr_export::bidirectional_gru", mutates_args=())
def bidirectional_gru(
    x: Tensor,
    weight_input: Tensor,
    weight_hidden: Tensor,
    bias: Tensor,
    lengths: Tensor,
    hidden_size: int,
    initial: Tensor | None = None,
) -> Tensor:
    """Compute what ONNX's ``GRU`` does, bidirectional, with ``linear_before_reset=1``.

    Args:
        x: float32 or float16 [frames, batch, input_size], as all that follows but ``lengths``.
        weight_input: [2, 3 * hidden_size, input_size], gates update, reset, candidate.
        weight_hidden: [2, 3 * hidden_size, hidden_size].
        bias: [2, 6 * hidden_size], of the input, then of the hidden state.
        lengths: int32 [batch], frames.
        hidden_size: hidden units of each direction.
        initial: [2, batch, hidden_size], the states to start from; zeros if None.

    Returns:
        [frames, 2, batch, hidden_size], zeros past the end.
    """
    frames, batch, _ = x.shape
    output = x.new_zeros(frames, 2, batch, hidden_size)
    for direction in range(2):
        input_bias, hidden_bias = bias[direction].chunk(2)
        projected = x @ weight_input[direction].T + input_bias
        hidden = x.new_zeros(batch, hidden_size) if initial is None else initial[direction]
        steps = range(frames) if direction == 0 else reversed(range(frames))
        for t in steps:
            recurrent = hidden @ weight_hidden[direction].T + hidden_bias
            update_in, reset_in, candidate_in = projected[t].chunk(3, dim=1)
            update_hidden, reset_hidden, candidate_hidden = recurrent.chunk(3, dim=1)
            update = torch.sigmoid(update_in + update_hidden)
            reset = torch.sigmoid(reset_in + reset_hidden)
            candidate = torch.tanh(candidate_in + reset * candidate_hidden)
            inside = (lengths > t)[:, None]
            hidden = torch.where(inside, (1 - update) * candidate + update * hidden, hidden)
            output[t, direction] = torch.where(inside, hidden, 0.0)
    return output


@bidirectional_gru.register_fake
def _(
    x: Tensor,
    weight_input: Tensor,
    weight_hidden: Tensor,
    bias: Tensor,
    lengths: Tensor,
    hidden_size: int,
    initial: Tensor | None = None,
) -> Tensor:
    return x.new_empty(x.shape[0], 2, x.shape[1], hidden_size)


def _onnx_gru(
    x: Any,
    weight_input: Any,
    weight_hidden: Any,
    bias: Any,
    lengths: Any,
    hidden_size: int,
    initial: Any = None,
) -> Any:
    output, _ = op.GRU(
        x,
        weight_input,
        weight_hidden,
        bias,
        lengths,
        *(() if initial is None else (initial,)),
        direction="bidirectional",
        hidden_size=hidden_size,
        linear_before_reset=1,
    )
    return output


#: For ``torch.onnx.export(custom_translation_table=…)``.
TRANSLATIONS: dict[Any, Any] = {
    torch.ops.asr_export.bidirectional_gru.default: _onnx_gru,
}


class OnnxBidirectionalGRU(nn.Module):
    """Takes the place of a ``BidirectionalGRU`` in a model that is to be exported to ONNX."""

    def __init__(self, source: BidirectionalGRU) -> None:
        super().__init__()
        self.hidden_size = source.forward_gru.hidden_size
        directions = (source.forward_gru, source.backward_gru)

        def stacked(name: str) -> Tensor:
            return torch.stack(
                [_update_first(getattr(gru, f"{name}_l0").detach()) for gru in directions]
            )

        self.register_buffer("weight_input", stacked("weight_ih"))
        self.register_buffer("weight_hidden", stacked("weight_hh"))
        self.register_buffer("bias", torch.cat([stacked("bias_ih"), stacked("bias_hh")], dim=1))

    def forward(self, x: Tensor, lengths: Tensor, state: Tensor | None = None) -> Tensor:
        """Run the layer, as ``BidirectionalGRU`` does.

        Args:
            x: [batch, frames, input_size].
            lengths: int64 [batch], frames of each.
            state: [batch, hidden_size] of the forward direction before the first frame; zeros if
                None.

        Returns:
            [batch, frames, 2 * hidden_size], zeros past the end.
        """
        initial = None if state is None else torch.stack([state, torch.zeros_like(state)])
        output: Tensor = bidirectional_gru(
            x.transpose(0, 1),
            self.weight_input,
            self.weight_hidden,
            self.bias,
            lengths.to(torch.int32),
            self.hidden_size,
            initial,
        )
        return output.permute(2, 0, 1, 3).flatten(2)


def _update_first(weight: Tensor) -> Tensor:
    reset, update, candidate = weight.chunk(3)
    return torch.cat([update, reset, candidate])
