"""A GRU that ``torch.export`` leaves whole, as the standard operator ``aten::gru.input``.

``torch.export`` takes ``nn.GRU`` apart into a loop over the example's frames to find out the shape
of its result, and fixes the number of frames by it. So the layer is exported as an operator of our
own that states its shape, and has the signature of PyTorch's. Then PyTorch's takes its place, and
the exported program needs nothing of ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


@torch.library.custom_op("asr_export::gru", mutates_args=())
def _opaque_gru(
    input: Tensor,
    hx: Tensor,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    weights = list(params)
    output, hidden = torch.gru(
        input, hx, weights, has_biases, num_layers, dropout, train, bidirectional, batch_first
    )
    return output, hidden


@_opaque_gru.register_fake
def _(
    input: Tensor,
    hx: Tensor,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    return input.new_empty(*input.shape[:2], hx.shape[2]), hx.new_empty(hx.shape)


class ExportableGRU(nn.Module):
    """Takes the place of a one-directional, batch-first ``nn.GRU`` of one layer."""

    def __init__(self, source: nn.GRU) -> None:
        super().__init__()
        self.hidden_size = source.hidden_size
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            self.register_parameter(name, source.get_parameter(name))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the layer from a state of zeros.

        Args:
            x: float32 [batch, frames, input_size].

        Returns:
            Float32 [batch, frames, hidden_size], and the last state [1, batch, hidden_size].
        """
        start = x.new_zeros(1, x.shape[0], self.hidden_size)
        weights = list(self.parameters())
        output, hidden = _opaque_gru(x, start, weights, True, 1, 0.0, False, False, True)
        return output, hidden


def use_standard_gru(program: torch.export.ExportedProgram) -> None:
    """Put ``aten::gru.input`` in the place of our operator, in place."""
    for node in program.graph.nodes:
        if node.target is torch.ops.asr_export.gru.default:
            node.target = torch.ops.aten.gru.input
    program.graph_module.recompile()
