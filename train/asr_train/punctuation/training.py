"""The training of a punctuation network: shuffled rows of sentences, on one processor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it

from asr_runtime.readable_text.annotation import Sign
from asr_train.errors import CheckpointError
from asr_train.output import replacing
from asr_train.punctuation.encoding import EncodedText
from asr_train.punctuation.network import PunctuationConfig, PunctuationNetwork

ROW_WORDS = 160
"""Words of a row: whole sentences, as many as fit, so that a row ends where someone stops."""

_UNKNOWN_SHARE = 0.03
"""Part of the words that are made unknown, so that unknown words are learned."""

_GRADIENT_NORM = 1.0
_WARMUP = 0.03


@dataclass(frozen=True)
class PunctuationTraining:
    """How to train.

    Attributes:
        words: Words to learn from in all, counting repetitions.
        minutes: Time after which the training ends anyhow, its rate having fallen; None for none.
        batch_rows: Rows of `ROW_WORDS` words a step.
        learning_rate: Its peak; cosine after a linear warm-up.
        weight_decay: Of AdamW.
        seed: Of weights, order and unknown words.
        checkpoint_minutes: Time between checkpoints.
    """

    words: float = 40e6
    minutes: float | None = None
    batch_rows: int = 48
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 1
    checkpoint_minutes: float = 3.0


def sentence_rows(signs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Divide a text into rows of whole sentences; a sentence that is too long is cut.

    Args:
        signs: Value of `Sign` after each word [words].

    Returns:
        First word of each row, and the word after its last [rows, 2].
    """
    ends = np.flatnonzero(signs >= Sign.FULL_STOP) + 1
    rows = []
    start = 0
    while start < len(signs):
        last = int(np.searchsorted(ends, start + ROW_WORDS, side="right")) - 1
        end = int(ends[last]) if last >= 0 else start
        if end <= start:
            end = min(start + ROW_WORDS, len(signs))
        rows.append((start, end))
        start = end
    return np.array(rows, np.int64).reshape(-1, 2)


def train(
    text: EncodedText,
    config: PunctuationConfig,
    training: PunctuationTraining,
    table_rows: int,
    checkpoint: Path,
    *,
    resume: bool = False,
    report: Callable[[str], object] = print,
) -> PunctuationNetwork:
    """Train a network.

    Args:
        text: What to learn from.
        config: Sizes of the network.
        training: How to train.
        table_rows: Rows of the table of embeddings.
        checkpoint: File for the state of the training.
        resume: Go on from that file, if it exists.
        report: Gets a line every half minute.

    Returns:
        The trained network, in evaluation mode.

    Raises:
        CheckpointError: The checkpoint is of other settings.
    """
    torch.manual_seed(training.seed)
    network = PunctuationNetwork(config, table_rows)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    rows = sentence_rows(text.signs)
    state: dict[str, Any] = {"step": 0, "words": 0, "seconds": 0.0}
    if resume and checkpoint.exists():
        state = _load(checkpoint, network, optimizer, config)
        report(f"going on after {state['words'] / 1e6:.1f} M words")
    step, seen, spent = state["step"], state["words"], state["seconds"]
    began = saved = shown = time.monotonic()
    averages = np.zeros(2)
    steps_shown = 0
    while True:
        elapsed = spent + time.monotonic() - began
        progress = seen / training.words
        if training.minutes is not None:
            progress = max(progress, elapsed / (60 * training.minutes))
        if progress >= 1:
            break
        batch = _batch(text, rows, step, training)
        losses = _step(network, optimizer, batch, _rate(progress) * training.learning_rate)
        averages += losses
        step, steps_shown = step + 1, steps_shown + 1
        seen += int(batch.present.sum())
        now = time.monotonic()
        if now - shown > 30:
            sign, case = averages / steps_shown
            report(
                f"{seen / 1e6:6.2f} M words, {100 * progress:5.1f} %: loss of signs {sign:.4f}, "
                f"of cases {case:.4f}"
            )
            averages, steps_shown, shown = np.zeros(2), 0, now
        if now - saved > 60 * training.checkpoint_minutes:
            _save(checkpoint, network, optimizer, config, step, seen, elapsed)
            saved = now
    _save(checkpoint, network, optimizer, config, step, seen, elapsed)
    return network.eval()


@dataclass(frozen=True)
class _Batch:
    rows: torch.Tensor
    signs: torch.Tensor
    cases: torch.Tensor
    present: torch.Tensor


def _batch(
    text: EncodedText, rows: npt.NDArray[np.int64], step: int, training: PunctuationTraining
) -> _Batch:
    """Make the batch of a step; it depends on the seed and the step alone."""
    batch_rows = min(training.batch_rows, len(rows))
    steps_a_pass = len(rows) // batch_rows
    done, at = divmod(step, steps_a_pass)
    order = np.random.default_rng((training.seed, done)).permutation(len(rows))
    chosen = rows[order[at * batch_rows : (at + 1) * batch_rows]]
    positions = chosen[:, :1] + np.arange(ROW_WORDS)
    present = positions < chosen[:, 1:]
    positions = np.where(present, positions, 0)
    words = text.rows[positions]
    random = np.random.default_rng((training.seed, step, 1)).random(words.shape)
    words = np.where(random < _UNKNOWN_SHARE, text.unknown_rows[words], words)
    return _Batch(
        torch.from_numpy(np.where(present, words, 0).astype(np.int64)),
        torch.from_numpy(np.where(present, text.signs[positions].astype(np.int64), -100)),
        torch.from_numpy(np.where(present, text.cases[positions].astype(np.int64), -100)),
        torch.from_numpy(present.astype(np.float32)),
    )


def _step(
    network: PunctuationNetwork, optimizer: torch.optim.Optimizer, batch: _Batch, rate: float
) -> npt.NDArray[np.float64]:
    for group in optimizer.param_groups:
        group["lr"] = rate
    signs, cases = network(batch.rows, batch.present)
    sign_loss = F.cross_entropy(signs.flatten(0, 1), batch.signs.flatten())
    case_loss = F.cross_entropy(cases.flatten(0, 1), batch.cases.flatten())
    optimizer.zero_grad(set_to_none=True)
    (sign_loss + case_loss).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM)
    optimizer.step()
    return np.array([sign_loss.item(), case_loss.item()])


def _rate(progress: float) -> float:
    """Return the part of the peak rate: a linear rise, then a cosine."""
    if progress < _WARMUP:
        return (progress + 1e-3) / (_WARMUP + 1e-3)
    return 0.5 * (1 + float(np.cos(np.pi * (progress - _WARMUP) / (1 - _WARMUP)))) + 1e-3


def _save(
    path: Path,
    network: PunctuationNetwork,
    optimizer: torch.optim.Optimizer,
    config: PunctuationConfig,
    step: int,
    words: int,
    seconds: float,
) -> None:
    with replacing(path) as partial:
        torch.save(
            {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "config": asdict(config),
                "step": step,
                "words": words,
                "seconds": seconds,
            },
            partial,
        )


def _load(
    path: Path,
    network: PunctuationNetwork,
    optimizer: torch.optim.Optimizer,
    config: PunctuationConfig,
) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["config"] != asdict(config):
            raise CheckpointError(
                f"{path} is of a network of other sizes; give the same settings or another --out"
            )
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    except (KeyError, RuntimeError, ValueError, EOFError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); start without --resume") from None
    return state
