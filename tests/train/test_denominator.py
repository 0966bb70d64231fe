"""The sum over all label sequences, against one that enumerates every path."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from asr_train.training.denominator import Denominator, LabelTrigram, estimate_trigram

LABELS = 3


@pytest.fixture
def trigram() -> LabelTrigram:
    torch.manual_seed(1)
    probability = torch.rand(LABELS, LABELS, LABELS)
    start = torch.rand(LABELS, LABELS)
    return LabelTrigram(probability / probability.sum(2, keepdim=True), start / start.sum())


def _by_enumeration(logprobs: Tensor, trigram: LabelTrigram) -> float:
    """The same for one utterance [frames, classes], path by path."""
    frames, classes = logprobs.shape
    total = 0.0
    for path in itertools.product(range(classes), repeat=frames):
        labels = [label for label, _ in itertools.groupby(path) if label != classes - 1]
        acoustic = math.exp(sum(logprobs[time, label].item() for time, label in enumerate(path)))
        for before in itertools.product(range(LABELS), repeat=2):
            weight = trigram.start[before].item()
            history = before
            for label in labels:
                weight *= trigram.probability[(*history, label)].item()
                history = (history[1], label)
            total += acoustic * weight
    return math.log(total)


def test_all_paths_are_counted_once(trigram: LabelTrigram) -> None:
    logprobs = torch.randn(2, 6, LABELS + 1).log_softmax(2)
    wanted = _by_enumeration(logprobs[0], trigram) + _by_enumeration(logprobs[1, :4], trigram)
    found = Denominator(trigram)(logprobs, torch.tensor([6, 4]))
    assert found.item() == pytest.approx(wanted, abs=1e-4)


def test_gradient_is_that_of_finite_differences(trigram: LabelTrigram) -> None:
    denominator = Denominator(trigram).double()
    lengths = torch.tensor([7, 5])
    logprobs = torch.randn(2, 7, LABELS + 1, dtype=torch.float64).log_softmax(2).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: denominator(values, lengths), (logprobs,))


def test_padding_has_no_gradient_and_no_effect(trigram: LabelTrigram) -> None:
    denominator = Denominator(trigram)
    logprobs = torch.randn(1, 5, LABELS + 1).log_softmax(2)
    padded = torch.cat([logprobs, torch.randn(1, 9, LABELS + 1).log_softmax(2)], 1).requires_grad_()
    total = denominator(padded, torch.tensor([5]))
    total.backward()
    assert total.item() == pytest.approx(denominator(logprobs, torch.tensor([5])).item(), abs=1e-4)
    assert padded.grad is not None
    assert not padded.grad[:, 5:].any()
    # In every frame all classes together are occupied once.
    torch.testing.assert_close(padded.grad[0, :5].sum(1), torch.ones(5))


def test_long_and_sure_utterances_stay_finite() -> None:
    trigram = estimate_trigram([[0, 1, 2, 0, 1]], LABELS)
    logprobs = (60 * torch.randn(2, 2000, LABELS + 1)).log_softmax(2).requires_grad_()
    Denominator(trigram)(logprobs, torch.tensor([2000, 1999])).backward()
    assert logprobs.grad is not None
    assert logprobs.grad.isfinite().all()


def test_trigram_prefers_what_it_has_seen_and_excludes_nothing() -> None:
    trigram = estimate_trigram([[0, 1, 2] * 20, [], [1]], LABELS)
    torch.testing.assert_close(trigram.probability.sum(2), torch.ones(LABELS, LABELS))
    assert trigram.probability.min() > 0
    assert trigram.probability[0, 1].argmax() == 2
    assert trigram.start[1, 2] > 0.9
