"""One step of the optimiser: loss, gradients over all processes, clipping, update."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from asr_train.checkpoints.quantization import quantized_weights
from asr_train.data.batching import Batch
from asr_train.data.manifest import Utterance
from asr_train.data.targets import PhonemeTargets
from asr_train.errors import ConfigError, TrainingError
from asr_train.model.chunking import Chunking
from asr_train.model.config import ModelConfig
from asr_train.model.network import ResCNNBiGRU
from asr_train.pronunciation.lexicon import read_lexicon
from asr_train.training.config import ChunkedConfig, TrainingConfig
from asr_train.training.denominator import LabelTrigram, estimate_trigram
from asr_train.training.loss import TrainingLoss

#: Consecutive steps with a NaN or infinite gradient after which a run is given up.
MAX_BAD_STEPS = 20


class TrainingStep:
    """Takes the steps of a run.

    Attributes:
        loss: the model with its loss, as accelerate wraps it.
    """

    def __init__(
        self,
        model: ResCNNBiGRU,
        optimizer: torch.optim.Optimizer,
        config: TrainingConfig,
        accelerator: Accelerator,
        phonemes: PhonemeTargets | None,
    ) -> None:
        self._model, self._optimizer = model, optimizer
        self._config, self._accelerator, self._phonemes = config, accelerator, phonemes
        self._bad_steps = 0
        self.loss: torch.nn.Module = accelerator.prepare_model(
            TrainingLoss(model, config.masking, config.loss, self._trigram())
        )

    def __call__(
        self, batch: Batch, characters: int, seed: int, elapsed: float
    ) -> tuple[float, float]:
        """Compute loss and gradients of a batch and update the weights.

        Args:
            batch: this process's share.
            characters: of the whole batch, over all processes.
            seed: of the step.
            elapsed: how much of the run is over, 0 to 1.

        Returns:
            Summed loss (nats) and gradient norm of the whole batch, over all processes.

        Raises:
            TrainingError: no finite gradient in ``MAX_BAD_STEPS`` steps.
        """
        device, config = self._accelerator.device, self._config
        # Dropout and masks depend on the step alone: a resumed run draws the same ones.
        torch.manual_seed(seed)
        with quantized_weights(self._model, config.quantize_weights):
            nll: Tensor = self.loss(
                batch.samples.to(device),
                batch.lengths.to(device),
                batch.targets.to(device),
                batch.target_lengths.to(device),
                draw_chunking(config.chunked, self._model.config, seed),
                self._phonemes_of(batch),
                elapsed >= config.lf_mmi_from,
            )
            # Processes average their gradients; the loss is a mean over the characters of the
            # whole batch, so each one's share is scaled by their number: the result is that of one
            # process.
            self._accelerator.backward(nll * (self._accelerator.num_processes / characters))
        grad_norm = torch.nn.utils.clip_grad_norm_(self.loss.parameters(), config.max_grad_norm)
        if grad_norm.isfinite():
            self._optimizer.step()
            self._bad_steps = 0
        else:
            self._bad_steps += 1
        if self._bad_steps >= MAX_BAD_STEPS:
            raise TrainingError(
                f"no finite gradient in {MAX_BAD_STEPS} steps: training has diverged; "
                "start again with a lower --learning-rate"
            )
        self._optimizer.zero_grad()
        total: Tensor = self._accelerator.reduce(nll.detach(), "sum")
        return total.item(), grad_norm.item()

    def _phonemes_of(self, batch: Batch) -> tuple[Tensor, Tensor] | None:
        if self._phonemes is None:
            return None
        targets, lengths = self._phonemes.of(batch)
        return targets.to(self._accelerator.device), lengths.to(self._accelerator.device)

    def _trigram(self) -> LabelTrigram | None:
        if self._phonemes is None or self._config.lf_mmi_from >= 1:
            return None
        return estimate_trigram(self._phonemes.sequences, self._model.config.phonemes)


def phoneme_targets(
    utterances: Sequence[Utterance], model: ModelConfig, config: TrainingConfig
) -> PhonemeTargets | None:
    """What a phoneme head learns; None for a model without one.

    Raises:
        ConfigError: a lexicon without a phoneme head, or a head without a lexicon.
        DataError: an unusable lexicon, or one that lacks a word of a transcript.
    """
    if (config.lexicon is None) != (model.phonemes == 0):
        raise ConfigError("phonemes need both: --lexicon FILE and --set phonemes=39")
    if config.lexicon is None:
        return None
    return PhonemeTargets(utterances, read_lexicon(config.lexicon))


def draw_chunking(config: ChunkedConfig, model: ModelConfig, seed: int) -> Chunking | None:
    """How the batch with this seed is cut, the same on every process; None for a whole one."""
    rng = np.random.default_rng(seed)
    if rng.random() >= config.probability:
        return None
    shortest, longest = np.log(config.chunk_ms)
    chunk_ms = float(np.exp(rng.uniform(shortest, longest)))
    return Chunking.from_milliseconds(model, chunk_ms, rng.uniform(*config.lookahead_ms))
