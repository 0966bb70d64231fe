"""Transcribe a labelled set with a PyTorch model and score it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from asr_runtime.decoding.greedy import greedy_text
from asr_train.augmentation.waveform import add_noise, change_level
from asr_train.data.audio_store import AudioStore, Samples
from asr_train.data.batch_plan import plan_epoch
from asr_train.data.batching import Batch, Collate, UtteranceDataset
from asr_train.data.manifest import Utterance
from asr_train.errors import DataError
from asr_train.evaluation.metrics import ErrorRates, error_rates
from asr_train.model.chunking import Chunking, chunked_network
from asr_train.model.network import ResCNNBiGRU
from asr_train.model.vocabulary import BLANK_ID, VOCABULARY


@dataclass(frozen=True)
class Condition:
    """A level and a noise floor to score under; every utterance's noise is its own, repeatable.

    Attributes:
        gain_db: of the recording, clipped at full scale.
        snr_db: white noise this far below each recording's mean power; None for none.
    """

    gain_db: float = 0.0
    snr_db: float | None = None

    def __call__(self, index: int, samples: Samples, text: str) -> tuple[Samples, str]:
        """Put utterance ``index``, float32 [samples], under the condition; its transcript stays."""
        if self.snr_db is not None:
            samples = add_noise(samples, self.snr_db, 0.0, np.random.default_rng(index))
        return change_level(samples, self.gain_db) if self.gain_db else samples, text


@dataclass(frozen=True)
class Evaluation:
    """Transcripts in the order of the utterances, and the set's scores.

    Attributes:
        texts: greedy transcripts.
        loss: CTC negative log-likelihood a character of the references.
        rates: pooled error rates.
    """

    texts: list[str]
    loss: float
    rates: ErrorRates


@torch.no_grad()
def evaluate(
    model: ResCNNBiGRU,
    utterances: Sequence[Utterance],
    store: AudioStore,
    *,
    condition: Condition | None = None,
    chunking: Chunking | None = None,
    batch_seconds: float = 240.0,
    progress: bool = True,
) -> Evaluation:
    """Score ``model`` (on its own device, in float32, greedy decoding) on ``utterances``.

    Args:
        model: any device; it is in the mode it came in afterwards.
        utterances: recordings and what is said in them.
        store: their audio.
        condition: changes the audio first: how well does the model do where it is loud or faint?
        chunking: compute as on a stream that is cut so; None for whole recordings.
        batch_seconds: padded audio per batch, seconds.
        progress: whether to show a bar.

    Raises:
        DataError: audio that cannot be decoded.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    plan = plan_epoch([row.duration for row in utterances], batch_seconds)
    dataset = UtteranceDataset([row.text for row in utterances], store, condition)
    loader: DataLoader[Batch | DataError] = DataLoader(
        dataset,  # type: ignore[arg-type]
        batch_sampler=plan,
        collate_fn=Collate(),
    )
    texts = [""] * len(utterances)
    total_loss = 0.0
    for batch in tqdm(loader, desc="evaluating", unit="batch", leave=False, disable=not progress):
        if isinstance(batch, DataError):
            raise batch
        samples, sample_lengths = batch.samples.to(device), batch.lengths.to(device)
        if chunking is None:
            logprobs, lengths, *_ = model(samples, sample_lengths)
        else:
            features, feature_lengths = model.front_end(samples, sample_lengths)
            logprobs, lengths = chunked_network(model, features, feature_lengths, chunking)
        total_loss += torch.nn.functional.ctc_loss(
            logprobs.transpose(0, 1),
            batch.targets.to(device),
            lengths,
            batch.target_lengths.to(device),
            blank=BLANK_ID,
            reduction="sum",
        ).item()
        rows = zip(batch.indices.tolist(), logprobs.cpu().numpy(), lengths.tolist(), strict=True)
        for index, frames, length in rows:
            texts[index] = greedy_text(frames[:length], VOCABULARY, BLANK_ID)
    model.train(was_training)
    references = [row.text for row in utterances]
    loss = total_loss / sum(len(text) for text in references)
    return Evaluation(texts, loss, error_rates(references, texts))
