"""The network keeps the model contract and is the architecture it says it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from asr_train.checkpoints.checkpoint import Checkpoint
from asr_train.errors import ConfigError
from asr_train.model.config import PRESETS, ModelConfig, preset
from asr_train.model.network import BidirectionalGRU, ResCNNBiGRU
from asr_train.model.recurrence import gru_recurrence
from asr_train.model.vocabulary import BLANK_ID


def test_presets_have_their_sizes() -> None:
    sizes = {
        name: sum(weight.numel() for weight in ResCNNBiGRU(config).parameters())
        for name, config in PRESETS.items()
    }
    assert sizes["base"] == 24_754_717
    assert 3_000_000 <= sizes["edge"] <= 4_000_000


def test_bidirectional_gru_equals_torch_on_packed_sequences() -> None:
    torch.manual_seed(0)
    ours = BidirectionalGRU(5, 6)
    theirs = torch.nn.GRU(5, 6, bidirectional=True, batch_first=True)
    for gru, suffix in ((ours.forward_gru, ""), (ours.backward_gru, "_reverse")):
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            getattr(theirs, name + suffix).data.copy_(getattr(gru, name).data)
    x, lengths = torch.randn(3, 9, 5), torch.tensor([9, 4, 1])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    wanted, _ = torch.nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    found = ours(x, lengths)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[row, :length], wanted[row, :length])


def test_training_on_the_cpu_takes_the_same_gradients() -> None:
    torch.manual_seed(0)
    gru = BidirectionalGRU(5, 6)
    x, lengths = torch.randn(4, 9, 5, requires_grad=True), torch.tensor([9, 4, 1, 7])
    within = torch.arange(9)[None, :, None] < lengths[:, None, None]
    weight = torch.randn(4, 9, 12) * within  # past the end outputs are unspecified
    results = []
    for training in (True, False):
        gru.train(training)
        output = gru(x, lengths)
        gradients = torch.autograd.grad((output * weight).sum(), [x, *gru.parameters()])
        results.append([output * within, *gradients])
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
        assert found.abs().max() > 0


def test_recurrence_has_the_numerical_gradient() -> None:
    torch.manual_seed(0)
    arguments = [torch.randn(2, 4, 3, 6), torch.randn(2, 6, 2), torch.randn(2, 6)]
    arguments = [value.double().requires_grad_() for value in arguments]
    assert torch.autograd.gradcheck(gru_recurrence, arguments)
    initial = torch.randn(2, 3, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(gru_recurrence, [*arguments, initial])


def test_recurrence_with_bfloat16_products_stays_close() -> None:
    torch.manual_seed(0)
    inputs, weight, bias = torch.randn(2, 40, 3, 48), torch.randn(2, 48, 16) / 4, torch.randn(2, 48)
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        arguments = [value.clone().requires_grad_() for value in (inputs, weight, bias)]
        states = gru_recurrence(arguments[0], arguments[1].to(dtype), arguments[2])
        assert states.dtype == torch.float32
        results.append([states, *torch.autograd.grad(states.square().sum(), arguments)])
    for wanted, found in zip(*results, strict=True):
        distance = torch.linalg.vector_norm(found - wanted) / torch.linalg.vector_norm(wanted)
        assert 0 < distance < 0.01


@pytest.mark.parametrize("samples", [1, 479, 480, 481, 16_000])
def test_frames_are_samples_over_stride_plus_one(loaded: Checkpoint, samples: int) -> None:
    logprobs, lengths = loaded.model(torch.zeros(1, samples), torch.tensor([samples]))
    assert lengths.tolist() == [samples // 480 + 1]
    assert logprobs.shape == (1, samples // 480 + 1, 29)
    assert loaded.model.config.frames(samples) == samples // 480 + 1
    torch.testing.assert_close(logprobs.exp().sum(dim=2), torch.ones(logprobs.shape[:2]))


def test_results_do_not_depend_on_the_batch(loaded: Checkpoint) -> None:
    torch.manual_seed(1)
    lengths = [9_000, 1_234, 16_000]
    samples = torch.randn(3, 16_000) * 0.2
    batched, frames = loaded.model(samples, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, _ = loaded.model(samples[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(batched[row, : frames[row]], alone[0], atol=1e-5, rtol=0)


def test_frames_past_the_end_are_blank(loaded: Checkpoint) -> None:
    logprobs, frames = loaded.model(torch.randn(2, 16_000), torch.tensor([16_000, 3_000]))
    past = logprobs[1, frames[1] :]
    assert len(past) > 0
    assert (past.argmax(dim=1) == BLANK_ID).all()
    assert (past[:, BLANK_ID] == 0).all()


def test_fields_shape_the_model() -> None:
    config = replace(preset("edge"), gru_layers=2, dropout=0.3)
    assert len(ResCNNBiGRU(config).gru_blocks) == 2
    assert ModelConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("gru_layer", 2, "unknown model field 'gru_layer'"),
        ("gru_layers", "two", "gru_layers must be int"),
        ("gru_layers", True, "gru_layers must be int"),
        ("gru_layers", 0, "gru_layers must be 1 or more"),
        ("dropout", 1.0, "dropout must be 0 or more and less than 1"),
        ("hop_length", 500, "longer than the window"),
    ],
)
def test_bad_fields_are_named(field: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ModelConfig.from_dict({field: value})


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'egde'.*edge, base"):
        preset("egde")
