"""Transcribe a labelled set with a PyTorch model and score it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from asr_runtime.decoding import greedy_text
from asr_train.audio_store import AudioStore
from asr_train.batching import Batch, Collate, UtteranceDataset, plan_epoch
from asr_train.errors import DataError
from asr_train.manifest import Utterance
from asr_train.metrics import ErrorRates, error_rates
from asr_train.model import ResCNNBiGRU
from asr_train.vocabulary import BLANK_ID, VOCABULARY


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
    batch_seconds: float = 240.0,
    progress: bool = True,
) -> Evaluation:
    """Score ``model`` (on its own device, in float32, greedy decoding) on ``utterances``."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    plan = plan_epoch([row.duration for row in utterances], batch_seconds)
    dataset = UtteranceDataset([row.text for row in utterances], store)
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
        logprobs, lengths = model(batch.samples.to(device), batch.lengths.to(device))
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
