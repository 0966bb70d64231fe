"""A GRU's recurrence for training on a CPU: both directions at once, its gradient written out.

``nn.GRU`` on a CPU records some twenty small operations a frame and direction, and adds up the
gradient of the recurrent weights frame by frame. Here both directions share one batched product a
frame, everything elementwise that does not wait for the frame before is done for all frames at
once, and the weights' gradient is one large product at the end.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


def gru_recurrence(
    inputs: Tensor, weight: Tensor, bias: Tensor, initial: Tensor | None = None
) -> Tensor:
    """Hidden states of several GRUs side by side, in ``nn.GRU``'s equations.

    With gates r, z, n (Cho et al. 2014, arXiv:1406.1078; the reset after the product, as cuDNN):
    r = σ(i_r + W_r h + b_r), z = σ(i_z + W_z h + b_z), n = tanh(i_n + r (W_n h + b_n)),
    h' = (1 - z) n + z h.

    The recurrent products are computed in the weight's type. With bfloat16 weights the states, the
    gates and what else adds up over the frames stay float32.

    Args:
        inputs: [GRUs, frames, batch, 3 * hidden], the projected inputs with their bias,
            gates in the order r, z, n.
        weight: [GRUs, 3 * hidden, hidden], recurrent; of the inputs' type or bfloat16.
        bias: [GRUs, 3 * hidden], recurrent.
        initial: [GRUs, batch, hidden], the states before the first frame; zeros if None.

    Returns:
        [GRUs, frames, batch, hidden], differentiable once.
    """
    states: Tensor = _GRURecurrence.apply(  # type: ignore[no-untyped-call]
        inputs, weight, bias, initial
    )
    return states


def run_gru(gru: nn.GRU, x: Tensor, initial: Tensor | None = None) -> Tensor:
    """A one-directional GRU's states; training on a CPU goes through ``gru_recurrence``.

    Args:
        gru: one layer, batch first.
        x: [batch, frames, inputs].
        initial: [batch, hidden]; zeros if None.

    Returns:
        [batch, frames, hidden].
    """
    if not (gru.training and x.device.type == "cpu"):
        return full_precision_gru(gru, x, initial)
    inputs = functional.linear(x.transpose(0, 1), *gru_parameters(gru, "ih")).float()
    weight, bias = gru_parameters(gru, "hh")
    start = None if initial is None else initial.float().unsqueeze(0)
    recurrence = gru_recurrence(inputs[None], autocast_weight(weight)[None], bias[None], start)
    return recurrence[0].transpose(0, 1)


def full_precision_gru(gru: nn.GRU, x: Tensor, initial: Tensor | None = None) -> Tensor:
    """The states of ``run_gru`` [batch, frames, hidden] by PyTorch's own operator.

    Autocast runs it in float16 on CUDA, whatever type was asked for, and float16 loses small
    gradients. On a GPU its time is that of many short steps: float32 costs little more.
    """
    # Not a zero state where none is given: torch.export would take the batch size for a constant.
    start = () if initial is None else (initial.unsqueeze(0),)
    if x.is_cuda and torch.is_autocast_enabled("cuda"):
        with torch.autocast("cuda", enabled=False):
            states: Tensor = gru(x.float(), *(state.float() for state in start))[0]
        return states
    states = gru(x, *start)[0]
    return states


def autocast_weight(weight: Tensor) -> Tensor:
    """A weight of any shape, in the type of CPU autocast if that is on."""
    if torch.is_autocast_enabled("cpu"):
        return weight.to(torch.get_autocast_dtype("cpu"))
    return weight


def gru_parameters(gru: nn.GRU, kind: str) -> tuple[Tensor, Tensor]:
    """Weight [3 * hidden, inputs] and bias [3 * hidden] of inputs (``ih``) or states (``hh``)."""
    return gru.get_parameter(f"weight_{kind}_l0"), gru.get_parameter(f"bias_{kind}_l0")


class _GRURecurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, initial: Tensor | None
    ) -> Tensor:
        grus, frames, batch, wide = inputs.shape
        hidden = wide // 3
        across = weight.transpose(1, 2).contiguous()
        offset = bias.unsqueeze(1)
        state, product = weight.new_empty(grus, batch, hidden), weight.new_empty(grus, batch, wide)
        # The gates take the place of the sums they are made from; the candidate's part stays.
        gates = torch.empty_like(inputs)
        candidates = inputs.new_empty(grus, frames, batch, hidden)
        states = inputs.new_zeros(grus, frames + 1, batch, hidden)
        if initial is not None:
            states[:, 0] = initial
        reset, update, recurrent = torch.chunk(gates, 3, dim=-1)
        reset_update, to_gates = gates[..., : 2 * hidden], inputs[..., : 2 * hidden]
        to_candidates = inputs[..., 2 * hidden :]
        for t in range(frames):
            torch.bmm(state.copy_(states[:, t]), across, out=product)
            torch.add(product, offset, out=gates[:, t])
            reset_update[:, t].add_(to_gates[:, t]).sigmoid_()
            candidate = candidates[:, t]
            torch.addcmul(to_candidates[:, t], reset[:, t], recurrent[:, t], out=candidate)
            torch.lerp(candidate.tanh_(), states[:, t], update[:, t], out=states[:, t + 1])
        ctx.save_for_backward(weight, gates, candidates, states)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        weight, gates, candidates, states = ctx.saved_tensors
        grus, frames, batch, hidden = candidates.shape
        reset, update, recurrent = torch.chunk(gates, 3, dim=-1)
        # What each gate's input gets of the state's gradient: all but that gradient is known.
        to_n = torch.addcmul(gates.new_ones(()), candidates, candidates, value=-1.0)
        to_n.mul_(1.0 - update)
        factors = gates.new_empty(grus, frames, batch, 3, hidden)
        torch.mul(to_n, reset, out=factors[..., 2, :])
        torch.mul(factors[..., 2, :], recurrent, out=factors[..., 0, :])
        factors[..., 0, :].mul_(1.0 - reset)
        torch.sub(states[:, :-1], candidates, out=factors[..., 1, :])
        factors[..., 1, :].mul_(update).mul_(1.0 - update)
        grad_states = torch.empty_like(candidates)
        grad_states[:, -1] = grad_output[:, -1]
        given = weight.new_empty(grus, batch, 3 * hidden)
        product = weight.new_empty(grus, batch, hidden)
        grad_initial = None
        for t in range(frames - 1, -1, -1):
            grad_state = grad_states[:, t]
            grad_gates = factors[:, t].mul_(grad_state.unsqueeze(-2)).view(grus, batch, -1)
            if t:
                before = grad_states[:, t - 1]
                torch.addcmul(grad_output[:, t - 1], grad_state, update[:, t], out=before)
                before.add_(torch.bmm(given.copy_(grad_gates), weight, out=product))
            elif ctx.needs_input_grad[3]:
                grad_initial = grad_state * update[:, t]
                grad_initial += torch.bmm(given.copy_(grad_gates), weight, out=product)
        grad_recurrent = factors.view(grus, frames * batch, 3 * hidden)
        before = states[:, :-1].reshape(grus, frames * batch, hidden).to(weight.dtype)
        grad_weight = torch.bmm(grad_recurrent.transpose(1, 2).to(weight.dtype), before)
        grad_bias = grad_recurrent.sum(dim=1)
        grad_inputs = factors.view_as(gates)
        torch.mul(grad_states, to_n, out=grad_inputs[..., 2 * hidden :])
        return grad_inputs, grad_weight, grad_bias, grad_initial
