"""Chunked training computes what a stream will compute, chunk by chunk."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from asr_train.errors import ConfigError
from asr_train.model.chunking import Chunking, chunked_network
from asr_train.model.config import PRESETS, ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.model.streaming import StreamingModel
from asr_train.training.config import ChunkedConfig
from asr_train.training.step import draw_chunking

CONFIG = ModelConfig(
    n_mels=20, channels=4, residual_blocks=2, rnn_dim=16, gru_hidden=12, gru_layers=2, dropout=0.0
)
EVERYTHING = 1_000_000
LENGTHS = (41_000, 30_123)


@pytest.fixture(scope="module")
def model() -> ResCNNBiGRU:
    torch.manual_seed(0)
    model = ResCNNBiGRU(CONFIG).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.5)  # so that context matters
    return model


@pytest.fixture(scope="module")
def audio() -> Tensor:
    torch.manual_seed(1)
    return 0.1 * torch.randn(len(LENGTHS), max(LENGTHS))


@torch.no_grad()
def stream(model: ResCNNBiGRU, samples: Tensor, chunking: Chunking) -> Tensor:
    """Log-probabilities [frames, classes] of [samples], as a stream gives them."""
    stride, position, frames = CONFIG.frame_stride, 0, []
    state = torch.zeros(1, CONFIG.gru_layers, CONFIG.gru_hidden)
    window = (chunking.chunk_frames + chunking.lookahead_frames) * stride - 1
    while True:
        begin = position * stride
        context = min(position, CONFIG.context_frames)
        last = len(samples) - begin < window
        values = samples[None, begin - context * stride : begin + window]
        logprobs, lengths, state = StreamingModel(model)(
            values,
            torch.tensor([values.shape[1]]),
            torch.tensor([context]),
            torch.tensor([EVERYTHING if last else chunking.chunk_frames]),
            state,
        )
        frames.append(logprobs[0, : lengths[0]])
        position += int(lengths[0])
        if last:
            return torch.cat(frames)


@pytest.mark.parametrize("training", [False, True], ids=["scored", "trained"])
@pytest.mark.parametrize("chunking", [Chunking(13, 6), Chunking(4, 3), Chunking(1, 2)], ids=str)
def test_all_chunks_at_once_are_those_of_a_stream(
    model: ResCNNBiGRU, audio: Tensor, chunking: Chunking, training: bool
) -> None:
    lengths = torch.tensor(LENGTHS)
    model.train(training)
    with torch.no_grad():
        features, feature_lengths = model.front_end(audio, lengths)
        found, found_lengths = chunked_network(model, features, feature_lengths, chunking)
    model.eval()
    assert found_lengths.tolist() == [CONFIG.frames(length) for length in LENGTHS]
    for row, length, frames in zip(audio, LENGTHS, found, strict=True):
        wanted = stream(model, row[:length], chunking)
        # 40 of the 400 samples of a chunk's last window, where it is near 0, are still to come.
        torch.testing.assert_close(frames[: len(wanted)], wanted, atol=1e-3, rtol=0)
    whole = model(audio, lengths)[0]
    assert (whole - found)[0].abs().max() > 0.1  # a stream sees less, and this can tell


def test_a_look_ahead_to_the_end_is_the_whole_recording(model: ResCNNBiGRU, audio: Tensor) -> None:
    lengths = torch.tensor(LENGTHS)
    with torch.no_grad():
        whole = model(audio, lengths)[0]
        features, feature_lengths = model.front_end(audio, lengths)
        found, frames = chunked_network(model, features, feature_lengths, Chunking(9, 100))
    for row, length, wanted in zip(found, frames, whole, strict=True):
        torch.testing.assert_close(row[:length], wanted[:length], atol=1e-4, rtol=0)


def test_a_stream_without_a_past_is_the_model(model: ResCNNBiGRU, audio: Tensor) -> None:
    lengths, batch = torch.tensor(LENGTHS), len(LENGTHS)
    with torch.no_grad():
        wanted, wanted_lengths = model(audio, lengths)
        found, found_lengths, _ = StreamingModel(model)(
            audio,
            lengths,
            torch.zeros(batch, dtype=torch.int64),
            torch.full((batch,), EVERYTHING),
            torch.zeros(batch, CONFIG.gru_layers, CONFIG.gru_hidden),
        )
    assert torch.equal(found_lengths, wanted_lengths)
    torch.testing.assert_close(found, wanted)


def test_one_batch_serves_streams_at_different_places(model: ResCNNBiGRU, audio: Tensor) -> None:
    torch.manual_seed(2)
    states = torch.randn(2, CONFIG.gru_layers, CONFIG.gru_hidden)
    contexts, chunks, lengths = torch.tensor([5, 2]), torch.tensor([8, 30]), torch.tensor(LENGTHS)
    with torch.no_grad():
        together = StreamingModel(model)(audio, lengths, contexts, chunks, states)
        for row in range(2):
            one = slice(row, row + 1)
            alone = StreamingModel(model)(
                audio[one, : LENGTHS[row]], lengths[one], contexts[one], chunks[one], states[one]
            )
            frames = int(alone[1])
            assert frames == int(together[1][row]) == int(chunks[row])
            torch.testing.assert_close(together[0][row, :frames], alone[0][0, :frames])
            torch.testing.assert_close(together[2][one], alone[2])


def test_gradients_pass_through_every_chunk(model: ResCNNBiGRU, audio: Tensor) -> None:
    lengths, chunking = torch.tensor(LENGTHS), Chunking(7, 4)
    features, feature_lengths = model.front_end(audio, lengths)
    features = features.detach().requires_grad_()
    results = []
    for training in (True, False):
        model.train(training)
        logprobs, _ = chunked_network(model, features, feature_lengths, chunking)
        loss = logprobs[0, -20:, 3].sum()
        results.append(torch.autograd.grad(loss, [features, *model.gru_blocks.parameters()]))
    model.eval()
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)
    # By way of the carried state, the end depends on the beginning.
    assert results[0][0][0, :, :10].abs().max() > 0


def test_chunks_are_drawn_for_part_of_the_batches() -> None:
    config, chunked = PRESETS["edge"], ChunkedConfig(0.5)
    drawn = [draw_chunking(chunked, config, seed) for seed in range(400)]
    assert drawn == [draw_chunking(chunked, config, seed) for seed in range(400)]
    cut = [chunking for chunking in drawn if chunking is not None]
    assert 160 < len(cut) < 240
    chunks = [chunking.chunk_frames for chunking in cut]
    lookaheads = [chunking.lookahead_frames for chunking in cut]
    assert 13 <= min(chunks) < 16
    assert 48 < max(chunks) <= 53
    assert (min(lookaheads), max(lookaheads)) == (6, 20)
    assert all(draw_chunking(ChunkedConfig(0.0), config, seed) is None for seed in range(50))


def test_milliseconds_become_frames() -> None:
    config = PRESETS["edge"]
    chunking = Chunking.from_milliseconds(config, 640, 320)
    assert chunking == Chunking(21, 11)
    assert chunking.latency_ms(config) == pytest.approx(960)
    assert config.context_frames == 7
    with pytest.raises(ConfigError, match="30 ms apart"):
        Chunking.from_milliseconds(config, 10, 320)
    for wrong in ((0.0, 100.0), (300.0, 200.0)):
        with pytest.raises(ConfigError, match=r"more than 0|shortest"):
            ChunkedConfig(0.5, chunk_ms=wrong)
