"""ResCNN-BiGRU: residual convolutions, bidirectional GRUs, character log-probabilities for CTC."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asr_train.model.config import ModelConfig
from asr_train.model.features import LogMelFrontEnd, length_mask
from asr_train.model.recurrence import (
    autocast_weight,
    full_precision_gru,
    gru_parameters,
    gru_recurrence,
)
from asr_train.model.vocabulary import NUM_CLASSES

#: Log-probability of every other class on a frame past the end, where the blank is certain.
PADDING_LOG_PROB = -100.0


class ResidualBlock(nn.Module):
    """Twice (LayerNorm over frequency, GELU, dropout, 3x3 convolution), plus the input.

    Dropout takes whole channels (Tompson et al. 2015, arXiv:1411.4280): neighbours in time and
    frequency are so alike that single values would not be missed; and it is ten times faster.
    """

    def __init__(self, channels: int, mels: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(mels)
        self.norm2 = nn.LayerNorm(mels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Apply the block.

        Args:
            x: [batch, channels, frames, mels].
            mask: [batch, 1, frames, 1], 1 within the utterances and 0 past their ends.

        Returns:
            [batch, channels, frames, mels].
        """
        # LayerNorm's bias fills the frames past the end; zeroed before each convolution they look
        # like the convolution's own padding, so the last frames do not depend on the batch.
        y = self.conv1(self.dropout(functional.gelu(self.norm1(x))) * mask)
        y = self.conv2(self.dropout(functional.gelu(self.norm2(y))) * mask)
        output: Tensor = x + y
        return output


class BidirectionalGRU(nn.Module):
    """Two one-directional GRUs, the second on each sequence reversed within its length.

    The same function as ``nn.GRU(bidirectional=True)`` on a packed sequence, without packing:
    a padded batch runs three times faster on a CPU. Outputs past a length are unspecified.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.forward_gru = nn.GRU(input_size, hidden_size, batch_first=True)
        self.backward_gru = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor, state: Tensor | None = None) -> Tensor:
        """The states of both directions.

        Args:
            x: [batch, frames, input_size].
            lengths: int64 [batch], frames.
            state: [batch, hidden_size], of the forward direction before the first frame; zeros if
                None. Not for training.

        Returns:
            [batch, frames, 2 * hidden_size].
        """
        if self.training and state is None:
            if x.device.type == "cpu":
                return self._train_on_cpu(x, lengths)
            return self._train_packed(x, lengths)
        ahead = full_precision_gru(self.forward_gru, x, state)
        time = torch.arange(x.shape[1], device=x.device)[None, :]
        # Within the length t -> length - 1 - t (its own inverse); past it any frame will do.
        reverse = (lengths[:, None] - 1 - time).clamp(min=0).unsqueeze(2)
        back = full_precision_gru(
            self.backward_gru, x.gather(1, reverse.expand(-1, -1, x.shape[2]))
        )
        back = back.gather(1, reverse.expand(-1, -1, back.shape[2]))
        return torch.cat([ahead, back], dim=2)

    def _train_packed(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The same by one call of cuDNN, which computes both directions at a time."""
        with torch.autocast(x.device.type, enabled=False):
            packed = pack_padded_sequence(
                x.float(), lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            weights = [
                weight
                for gru in (self.forward_gru, self.backward_gru)
                for weight in (*gru_parameters(gru, "ih"), *gru_parameters(gru, "hh"))
            ]
            # PyTorch's order: both matrices, then both biases.
            flat = [weights[index] for index in (0, 2, 1, 3, 4, 6, 5, 7)]
            start = x.new_zeros(2, x.shape[0], self.hidden_size, dtype=torch.float32)
            states, _ = torch.gru(
                packed.data, packed.batch_sizes, start, flat, True, 1, 0.0, True, True
            )
            padded, _ = pad_packed_sequence(
                packed._replace(data=states), batch_first=True, total_length=x.shape[1]
            )
        return padded

    def _train_on_cpu(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The same by ``gru_recurrence``, which computes both directions at once."""
        time = torch.arange(x.shape[1], device=x.device)[:, None]
        reverse = (lengths[None, :] - 1 - time).clamp(min=0).unsqueeze(2)
        ahead = x.transpose(0, 1)  # [frames, batch, input_size]
        back = ahead.gather(0, reverse.expand(-1, -1, x.shape[2]))
        inputs, weights, biases = [], [], []
        for gru, sequence in ((self.forward_gru, ahead), (self.backward_gru, back)):
            inputs.append(functional.linear(sequence, *gru_parameters(gru, "ih")))
            weight, bias = gru_parameters(gru, "hh")
            weights.append(weight)
            biases.append(bias)
        weight = autocast_weight(torch.stack(weights))
        states = gru_recurrence(torch.stack(inputs).float(), weight, torch.stack(biases))
        back = states[1].gather(0, reverse.expand(-1, -1, states.shape[3]))
        return torch.cat([states[0], back], dim=2).transpose(0, 1)


class GRUBlock(nn.Module):
    """LayerNorm, GELU, bidirectional GRU, dropout."""

    def __init__(self, input_size: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(input_size)
        self.gru = BidirectionalGRU(input_size, hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """[batch, frames, input_size] to [batch, frames, 2 * hidden_size]."""
        y: Tensor = self.dropout(self.gru(functional.gelu(self.norm(x)), lengths))
        return y


class ResCNNBiGRU(nn.Module):
    """The recogniser, from raw waveform to log-probabilities, batch-invariant.

    Residual CNN + BiGRU for CTC as in the original project (AndromedaOMA/Speech_Recognition),
    whose shape follows Deep Speech 2 (Amodei et al. 2015, arXiv:1512.02595).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.front_end = LogMelFrontEnd(config)
        strides = (config.time_stride, config.mel_stride)
        self.conv = nn.Conv2d(1, config.channels, 3, stride=strides, padding=1)
        mels = config.reduced_mels
        self.residual_blocks = nn.ModuleList(
            ResidualBlock(config.channels, mels, config.dropout)
            for _ in range(config.residual_blocks)
        )
        self.projection = nn.Linear(config.channels * mels, config.rnn_dim)
        self.gru_blocks = nn.ModuleList(
            GRUBlock(
                config.rnn_dim if layer == 0 else 2 * config.gru_hidden,
                config.gru_hidden,
                config.dropout,
            )
            for layer in range(config.gru_layers)
        )
        self.classifier = self._head(NUM_CLASSES)
        self.phoneme_classifier = self._head(config.phonemes + 1) if config.phonemes else None

    def _head(self, classes: int) -> nn.Sequential:
        config = self.config
        return nn.Sequential(
            nn.Linear(2 * config.gru_hidden, config.rnn_dim),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.rnn_dim, classes),
        )

    def forward(self, input_values: Tensor, input_lengths: Tensor) -> tuple[Tensor, ...]:
        """The model contract.

        Args:
            input_values: float32 [batch, samples], 16 kHz mono, -1…1.
            input_lengths: int64 [batch], samples.

        Returns:
            ``logprobs`` float32 [batch, frames, 29], natural logarithm, the certain blank on
            frames past the end; ``output_lengths`` int64 [batch], frames; and from a model with a
            phoneme head ``phoneme_logprobs`` float32 [batch, frames, phonemes + 1], likewise.
        """
        features, feature_lengths = self.front_end(input_values, input_lengths)
        encoded, output_lengths = self.encode(features, feature_lengths)
        letters, *phonemes = self.heads(encoded, output_lengths)
        return letters, output_lengths, *phonemes

    def network(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities of normalised features (0 past the end).

        Args:
            features: [batch, n_mels, mel frames].
            feature_lengths: int64 [batch], mel frames.

        Returns:
            float32 [batch, frames, 29] (unspecified past the end) and int64 [batch] frames.
        """
        x, lengths = self.encode(features, feature_lengths)
        return self.letter_logprobs(x), lengths

    def encode(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the classifiers get; arguments as for ``network``.

        Returns:
            [batch, frames, 2 * gru_hidden] (unspecified past the end) and int64 [batch] frames.
        """
        lengths = (feature_lengths - 1) // self.config.time_stride + 1
        frames = (features.shape[2] - 1) // self.config.time_stride + 1
        x = self.convolve(features, length_mask(lengths, frames)[:, None, :, None])
        for block in self.gru_blocks:
            x = block(x, lengths)
        return x, lengths

    def letter_logprobs(self, encoded: Tensor) -> Tensor:
        """float32 [batch, frames, 29] of what ``encode`` gives."""
        return functional.log_softmax(self.classifier(encoded).float(), dim=-1)

    def phoneme_logprobs(self, encoded: Tensor) -> Tensor:
        """float32 [batch, frames, phonemes + 1] of what ``encode`` gives; the blank is last."""
        assert self.phoneme_classifier is not None
        return functional.log_softmax(self.phoneme_classifier(encoded).float(), dim=-1)

    def convolve(self, features: Tensor, mask: Tensor) -> Tensor:
        """What the first recurrent layer gets.

        Args:
            features: [batch, n_mels, mel frames].
            mask: boolean [batch, 1, frames, 1], True inside the utterance.

        Returns:
            [batch, frames, rnn_dim].
        """
        x = self.conv(features.transpose(1, 2).unsqueeze(1))  # [batch, channels, frames, mels]
        mask = mask.to(x.dtype)
        for block in self.residual_blocks:
            x = block(x, mask)
        projected: Tensor = self.projection(x.transpose(1, 2).flatten(2))
        return projected

    def heads(self, encoded: Tensor, lengths: Tensor) -> list[Tensor]:
        """Letters' and, if there is such a head, phonemes' log-probabilities.

        From each length on they are the certain blank.

        Args:
            encoded: [batch, frames, hidden], as ``encode`` gives it.
            lengths: int64 [batch], frames.

        Returns:
            [batch, frames, classes] of each head.
        """
        logprobs = [self.letter_logprobs(encoded)]
        if self.phoneme_classifier is not None:
            logprobs.append(self.phoneme_logprobs(encoded))
        return [self.blank_past_end(values, lengths) for values in logprobs]

    def blank_past_end(self, logprobs: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities [batch, frames, classes] with the certain blank from each length on.

        A caller that forgets ``output_lengths`` reads blanks, not noise.
        """
        certain = torch.full_like(logprobs[:1, :1], PADDING_LOG_PROB)
        certain[:, :, -1] = 0.0  # the blank is the last class of each head
        return torch.where(length_mask(lengths, logprobs.shape[1])[:, :, None], logprobs, certain)
