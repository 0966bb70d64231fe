"""The network of the neural language model: its loss, its weights, its gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from neural_runs import small_network

from asr_train.neural_lm.cross_entropy import linear_cross_entropy
from asr_train.neural_lm.network import (
    SENTENCE_ROW,
)
from asr_train.neural_lm.processes import Processes


def test_the_fused_loss_is_the_plain_one() -> None:
    torch.manual_seed(1)
    # More rows than are computed at a time.
    values = [torch.randn(*shape, dtype=torch.float64) for shape in ((600, 5), (9, 5), (9,))]
    targets = torch.randint(9, (600,))
    fused, plain = ([value.clone().requires_grad_() for value in values] for _ in range(2))
    found = linear_cross_entropy(*fused, targets)
    expected = F.cross_entropy(F.linear(*plain), targets, reduction="sum")
    torch.testing.assert_close(found, expected)
    (3 * found).backward()
    (3 * expected).backward()
    for mine, other in zip(fused, plain, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def test_training_and_scoring_compute_the_same_probabilities() -> None:
    network = small_network().train()
    rows = torch.randint(17, (3, 12))
    rows[:, 0] = SENTENCE_ROW
    loss, plain = network.loss(rows[:, :-1], rows[:, 1:]), network(rows[:, :-1], rows[:, 1:])
    torch.testing.assert_close(loss, plain.mean())
    gradients = [
        torch.autograd.grad(value, list(network.parameters())) for value in (loss, plain.mean())
    ]
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other)
    # All words after a beginning are as probable as one.
    every = torch.arange(17)[:, None]
    with torch.no_grad():
        probabilities = torch.exp(-network(torch.zeros_like(every), every))
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-5)


def test_weights_have_the_names_of_the_first_checkpoints() -> None:
    assert set(small_network().state_dict()) == {
        *("tables.0", "tables.1", "tables.2", "lift.0.weight", "lift.1.weight"),
        *("gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_ih_l0", "gru.bias_hh_l0"),
        *("out.0.weight", "out.1.weight", "out.2.weight", "cluster.weight", "cluster.bias"),
        *("bias.0", "bias.1", "bias.2"),
    }


def test_parameters_without_a_gradient_count_as_zeros() -> None:
    parameters = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(1))]
    parameters[0].grad = torch.ones(2)
    assert Processes().average_gradients(parameters, 2.0, 0.5) == (2.0, 0.5)
    assert [each.grad.tolist() for each in parameters if each.grad is not None] == [[1, 1], [0]]
