"""The denominator of LF-MMI with CTC topology: every label sequence, weighed by a trigram.

Maximum mutual information compares the transcript's paths with those of all that could have been
said (D. Povey et al., "Purely sequence-trained neural networks for ASR based on lattice-free MMI",
Interspeech 2016). With CTC's blank in place of phone models it needs no alignment and no decision
tree (H. Xiang, Z. Ou, "CRF-based single-stage acoustic modeling with CTC topology", ICASSP 2019,
arXiv:1904.05200). All that could have been said is a trigram of labels here, dense, so that a frame
is one batched matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr_train.model.features import length_mask

#: Frames between two normalisations of the forward probabilities: they shrink by a few nats a
#: frame, and float32 has room for 87.
_NORMALISE_EVERY = 4


@dataclass(frozen=True)
class LabelTrigram:
    """How labels follow each other in the training transcripts.

    Attributes:
        probability: float32 [labels, labels, labels], P(c | a, b) at [a, b, c].
        start: float32 [labels, labels], how probable it is that what was said before the utterance
            ended with a, b, at [a, b].
    """

    probability: Tensor
    start: Tensor


def estimate_trigram(sequences: Sequence[Sequence[int]], labels: int) -> LabelTrigram:
    """Witten-Bell smoothed trigram of label sequences.

    I. Witten, T. Bell, "The zero-frequency problem" (1991), interpolated down to the uniform
    distribution, so that nothing is impossible. Every sequence begins after the end of another.

    Args:
        sequences: labels of each transcript, 0 to ``labels - 1``; empty ones are left out.
        labels: how many there are.
    """
    counts = np.zeros((labels, labels, labels))
    ends = np.full((labels, labels), 1e-3)
    for sequence in sequences:
        if len(sequence) >= 2:
            ends[sequence[-2], sequence[-1]] += 1
        ids = np.array(list(sequence), np.int64)
        np.add.at(counts, (ids[:-2], ids[1:-1], ids[2:]), 1)
    probability = np.full(labels, 1 / labels)
    for level in (counts.sum((0, 1)), counts.sum(0), counts):
        total = level.sum(-1, keepdims=True)
        kinds = np.maximum((level > 0).sum(-1, keepdims=True), 1)
        probability = (level + kinds * probability) / (total + kinds)
    return LabelTrigram(
        torch.from_numpy(probability).float(), torch.from_numpy(ends / ends.sum()).float()
    )


class Denominator(torch.nn.Module):
    """Log of the sum, over all label sequences and their CTC paths, of path times trigram."""

    by_last: Tensor
    start: Tensor
    other: Tensor

    def __init__(self, trigram: LabelTrigram) -> None:
        super().__init__()
        labels = len(trigram.start)
        # [b, a, c]: one matrix for each last label b.
        self.register_buffer(
            "by_last", trigram.probability.permute(1, 0, 2).contiguous(), persistent=False
        )
        self.register_buffer("start", trigram.start.t().contiguous(), persistent=False)
        # A label after itself is a new one after a blank only.
        self.register_buffer("other", (1 - torch.eye(labels))[:, None, :], persistent=False)

    def forward(self, logprobs: Tensor, lengths: Tensor) -> Tensor:
        """Summed over the batch, scalar; differentiable once.

        Args:
            logprobs: float32 [batch, frames, labels + 1], natural logarithm, the blank last.
            lengths: int64 [batch], frames.
        """
        arguments = (logprobs, lengths, self.by_last, self.start, self.other)
        total: Tensor = _LogSum.apply(*arguments)  # type: ignore[no-untyped-call]
        return total


class _LogSum(torch.autograd.Function):
    """Scaled forward and backward recursions over the states of ``Denominator``.

    A state is the last label b, the one before it a, and whether the last frame was b ("spoken")
    or a blank. Arrays of states are [b, batch, a]. Past its length an utterance sees certain
    blanks, which change no sum.
    """

    @staticmethod
    def forward(
        ctx: Any, logprobs: Tensor, lengths: Tensor, by_last: Tensor, start: Tensor, other: Tensor
    ) -> Tensor:
        """Sum over label sequences and paths of log-probabilities [batch, frames, labels + 1]."""
        batch, frames, classes = logprobs.shape
        labels = classes - 1
        inside = length_mask(lengths, frames)
        top = logprobs.amax(2)
        likelihood = (logprobs - top[:, :, None]).exp()
        # [frames, labels, batch, 1] and [frames, 1, batch, 1].
        spoken_likelihood = (likelihood[:, :, :labels] * inside[:, :, None]).permute(1, 2, 0)
        spoken_likelihood = spoken_likelihood.unsqueeze(3).contiguous()
        blank_likelihood = torch.where(inside, likelihood[:, :, labels], 1.0).t()
        blank_likelihood = blank_likelihood[:, None, :, None].contiguous()
        all_spoken = logprobs.new_empty(frames, labels, batch, labels)
        spoken = logprobs.new_zeros(labels, batch, labels)
        blank = start[:, None, :].expand(labels, batch, labels).contiguous()
        scales: dict[int, Tensor] = {}
        for frame in range(frames):
            step = torch.bmm(torch.cat([blank, spoken], 1), by_last)  # [b, 2 * batch, c]
            entered = torch.addcmul(step[:, :batch], step[:, batch:], other)
            blank = (spoken + blank) * blank_likelihood[frame]
            torch.mul(
                entered.permute(2, 1, 0) + spoken, spoken_likelihood[frame], out=all_spoken[frame]
            )
            spoken = all_spoken[frame]
            if (frame + 1) % _NORMALISE_EVERY == 0 or frame == frames - 1:
                scale = (spoken + blank).sum((0, 2))[:, None]
                spoken /= scale
                blank /= scale
                scales[frame] = scale
        ctx.save_for_backward(
            all_spoken, spoken_likelihood, blank_likelihood, by_last, other, inside
        )
        ctx.scales = scales
        log_scales = torch.stack(list(scales.values())).log().sum()
        return log_scales + (top * inside).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Occupation probabilities [batch, frames, labels + 1], which are the gradient."""
        all_spoken, spoken_likelihood, blank_likelihood, by_last, other, inside = ctx.saved_tensors
        frames, labels, batch, _ = all_spoken.shape
        transposed = by_last.transpose(1, 2).contiguous()
        spoken = torch.ones_like(all_spoken[0])
        blank = torch.ones_like(spoken)
        occupied = all_spoken.new_empty(frames, labels, batch)
        for frame in range(frames - 1, -1, -1):
            torch.sum(all_spoken[frame] * spoken, 2, out=occupied[frame])
            if frame in ctx.scales:
                spoken = spoken / ctx.scales[frame]
                blank = blank / ctx.scales[frame]
            entering = spoken * spoken_likelihood[frame]
            resting = blank * blank_likelihood[frame]
            turned = entering.permute(2, 1, 0)
            step = torch.bmm(torch.cat([turned, turned * other], 1), transposed)
            blank = step[:, :batch] + resting
            spoken = step[:, batch:] + entering + resting
        # All states together have a probability of 1 in every frame; rounding is divided out.
        total = occupied.sum(1, keepdim=True).clamp(min=1.0)
        occupied = (occupied / total).permute(2, 0, 1)
        rest = 1.0 - occupied.sum(2, keepdim=True)
        result = torch.cat([occupied, rest], 2) * inside[:, :, None] * gradient
        return result, None, None, None, None
