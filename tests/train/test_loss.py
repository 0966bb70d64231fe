"""The loss: CTC's value, and masks on training data only."""

from __future__ import annotations

import torch

from asr_train.augmentation.config import MaskingConfig
from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.model.vocabulary import BLANK_ID, encode
from asr_train.training.config import LossConfig
from asr_train.training.loss import TrainingLoss, _disagreement


def _loss(objective: TrainingLoss) -> torch.Tensor:
    torch.manual_seed(0)
    samples = torch.randn(2, 32_000) * 0.3
    targets = torch.tensor(encode("hello") + encode("abc"))
    loss: torch.Tensor = objective(
        samples, torch.tensor([32_000, 20_000]), targets, torch.tensor([5, 3])
    )
    return loss


def test_masks_act_in_training_only(loaded: Checkpoint) -> None:
    masked = TrainingLoss(loaded.model, MaskingConfig(freq_mask=20, time_mask=100))
    plain = TrainingLoss(loaded.model, MaskingConfig(freq_mask=0, time_mask=0))
    assert _loss(masked.eval()) == _loss(plain.eval())
    # Training on a CPU computes the GRUs in another order.
    torch.testing.assert_close(_loss(plain.train()), _loss(plain.eval()), rtol=1e-5, atol=0)
    assert _loss(masked.train()) != _loss(plain.train())


def test_masks_are_within_their_widths(loaded: Checkpoint) -> None:
    objective = TrainingLoss(loaded.model, MaskingConfig(freq_mask=6, time_mask=10))
    features = torch.ones(64, 24, 50)
    torch.manual_seed(0)
    masked = objective._mask(features) == 0
    bands = masked.all(dim=2).sum(dim=1)
    frames = masked.all(dim=1).sum(dim=1)
    assert 1 < bands.max() <= 6
    assert 1 < frames.max() <= 10
    assert len(set(bands.tolist())) > 3, "every utterance draws its own mask"


def test_loss_is_the_sum_over_utterances(loaded: Checkpoint) -> None:
    objective = TrainingLoss(loaded.model, MaskingConfig()).eval()
    samples = torch.randn(1, 16_000)
    length, target = torch.tensor([16_000]), torch.tensor(encode("abc"))
    one = objective(samples, length, target, torch.tensor([3]))
    two = objective(samples.repeat(2, 1), length.repeat(2), target.repeat(2), torch.tensor([3, 3]))
    torch.testing.assert_close(two, 2 * one)


def test_nothing_said_costs_the_blanks(loaded: Checkpoint) -> None:
    objective = TrainingLoss(loaded.model, MaskingConfig()).eval()
    samples, length = torch.randn(1, 16_000), torch.tensor([16_000])
    none = torch.zeros(0, dtype=torch.int64)
    loss = objective(samples, length, none, torch.tensor([0]))
    blanks = loaded.model(samples, length)[0][0, :, BLANK_ID]
    torch.testing.assert_close(loss, -blanks.sum(), rtol=1e-5, atol=0)


def test_two_alike_views_cost_what_one_does(loaded: Checkpoint) -> None:
    one = TrainingLoss(loaded.model, MaskingConfig(freq_mask=0, time_mask=0))
    two = TrainingLoss(
        loaded.model, MaskingConfig(freq_mask=0, time_mask=0), LossConfig(consistency=0.2)
    )
    torch.testing.assert_close(_loss(two.train()), _loss(one.train()), rtol=1e-5, atol=0)


def test_views_that_disagree_cost_more_in_training_alone(loaded: Checkpoint) -> None:
    masks = MaskingConfig(freq_mask=20, time_mask=100)
    losses = [
        _loss(TrainingLoss(loaded.model, masks, LossConfig(weight)).train())
        for weight in (1e-9, 1.0, 2.0)
    ]
    assert losses[1] > losses[0]
    torch.testing.assert_close(
        losses[2] - losses[0], 2 * (losses[1] - losses[0]), rtol=1e-3, atol=0
    )
    plain = TrainingLoss(loaded.model, masks).eval()
    assert _loss(TrainingLoss(loaded.model, masks, LossConfig(1.0)).eval()) == _loss(plain)


def test_disagreement_is_the_mean_of_both_divergences_inside_the_utterance() -> None:
    torch.manual_seed(0)
    logprobs = torch.randn(2, 5, 29).log_softmax(-1)
    first, second = logprobs[0, :3], logprobs[1, :3]
    expected = ((first.exp() - second.exp()) * (first - second)).sum() / 2
    found = _disagreement(logprobs, torch.tensor([3, 3]))
    torch.testing.assert_close(found, expected)
