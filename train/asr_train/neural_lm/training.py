"""The training of a word network: random windows of texts, on one or several processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asr_train.errors import DataError
from asr_train.neural_lm.checkpoint import Progress, load_checkpoint, load_weights, save_checkpoint
from asr_train.neural_lm.encoded_texts import EncodedTexts
from asr_train.neural_lm.known_words import KnownWords
from asr_train.neural_lm.network import SENTENCE_ROW, WordNetwork, WordNetworkConfig
from asr_train.neural_lm.processes import Processes

WINDOW_WORDS = 40
"""Words of a row; the state is zero before each, and most sentences are shorter."""

_SEARCHED_WORDS = 400
"""How far the beginning of a sentence is looked for after a random place."""
_MOST_PLACES = 1_000
"""Random places that are tried for one row."""

_GRADIENT_NORM = 1.0
_WARMUP = 0.03
_BETAS = (0.9, 0.98)
_FINAL_RATE = 1e-3


@dataclass(frozen=True)
class WordNetworkTraining:
    """How to train.

    Attributes:
        minutes: Time that the training takes; the rate falls by the clock.
        words: Words after which it ends, if that is earlier, counting repetitions; None for none.
        batch_rows: Rows of `WINDOW_WORDS` words a step, of all processes together.
        learning_rate: Its peak; cosine after a linear warm-up.
        weights: Part of the rows that is of each text, need not sum to one; none for as many rows
            as a text has words.
        seed: Of weights and windows.
        checkpoint_minutes: Time between checkpoints.
    """

    minutes: float = 85.0
    words: float | None = None
    batch_rows: int = 128
    learning_rate: float = 3e-3
    weights: tuple[float, ...] = ()
    seed: int = 1
    checkpoint_minutes: float = 3.0


def train(
    texts: EncodedTexts,
    known: KnownWords,
    config: WordNetworkConfig,
    training: WordNetworkTraining,
    checkpoint: Path,
    *,
    source: str = "",
    initial: Path | None = None,
    resume: bool = False,
    processes: Processes | None = None,
    report: Callable[[str], object] = print,
) -> WordNetwork:
    """Train a network.

    Args:
        texts: What to learn from.
        known: The words of the texts' rows.
        config: Sizes of the network.
        training: How to train.
        checkpoint: File for the state of the training.
        source: Sentence on the texts, for that file.
        initial: File with weights to start from.
        resume: Go on from the state of the training, if there is one.
        processes: Those that share every step; None for this one alone.
        report: Gets a line every half minute.

    Returns:
        The trained network, in evaluation mode.

    Raises:
        CheckpointError: A file of weights is of another network.
        ConfigError: The processes cannot share the rows of a step.
        DataError: A text is too short.
    """
    processes = processes or Processes()
    rows = processes.share_of(training.batch_rows)
    chances = text_chances(texts, training.weights)
    torch.manual_seed(training.seed)
    network = WordNetwork(config).train()
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=training.learning_rate, betas=_BETAS, weight_decay=0.0
    )
    done = Progress()
    if resume and checkpoint.exists():
        done = load_checkpoint(checkpoint, network, optimizer, known)
        report(f"going on after {done.words / 1e6:.1f} M words")
    elif initial is not None:
        load_weights(initial, network)
    step, seen, elapsed = done.step, done.words, done.seconds
    began = saved = shown = time.monotonic()
    progress, losses, steps_shown = _progress(training, seen, elapsed), 0.0, 0
    while progress < 1:
        random = np.random.default_rng((training.seed, step, processes.rank))
        batch = torch.from_numpy(random_windows(texts.rows, chances, rows, random))
        optimizer.zero_grad(set_to_none=True)
        loss = network.loss(batch[:, :-1], batch[:, 1:])
        loss.backward()  # type: ignore[no-untyped-call]
        step, seen = step + 1, seen + training.batch_rows * WINDOW_WORDS
        elapsed = done.seconds + time.monotonic() - began
        mean, progress = processes.average_gradients(
            parameters, loss.item(), _progress(training, seen, elapsed)
        )
        for group in optimizer.param_groups:
            group["lr"] = _rate(min(progress, 1.0)) * training.learning_rate
        torch.nn.utils.clip_grad_norm_(parameters, _GRADIENT_NORM)
        optimizer.step()
        losses, steps_shown = losses + mean, steps_shown + 1
        now = time.monotonic()
        if now - shown > 30:
            report(
                f"{seen / 1e6:6.2f} M words, {100 * progress:5.1f} %: perplexity "
                f"{math.exp(losses / steps_shown):.1f}"
            )
            losses, steps_shown, shown = 0.0, 0, now
        ends = progress >= 1
        if processes.is_first and (ends or now - saved > 60 * training.checkpoint_minutes):
            state = Progress(step, seen, elapsed)
            save_checkpoint(checkpoint, network, optimizer, state, known, source)
            saved = now
    return network.eval()


def text_chances(texts: EncodedTexts, weights: Sequence[float]) -> npt.NDArray[np.float64]:
    """Say how probable it is that a row is of each text.

    Args:
        texts: The texts.
        weights: As in `WordNetworkTraining`.

    Returns:
        float64 [texts], summing to one.

    Raises:
        DataError: There are not as many weights as texts, or a text is too short.
    """
    if weights and len(weights) != len(texts.rows):
        raise DataError(f"{len(weights)} weights for {len(texts.rows)} texts; give one a text")
    for name, text in zip(texts.names, texts.rows, strict=True):
        if len(text) <= WINDOW_WORDS:
            raise DataError(
                f"{name} has no more than {len(text)} words and sentence ends; give more than "
                f"{WINDOW_WORDS}"
            )
    sizes = np.array(weights or [len(text) for text in texts.rows], np.float64)
    chances: npt.NDArray[np.float64] = sizes / sizes.sum()
    return chances


def random_windows(
    texts: Sequence[npt.NDArray[np.uint16]],
    chances: npt.NDArray[np.float64],
    number: int,
    random: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Take windows that begin with the end of a sentence.

    Args:
        texts: Rows of words, each uint16 [words], longer than a window.
        chances: How probable each text is [texts].
        number: How many windows.
        random: Where chance is from.

    Returns:
        Rows of words, int64 [number, WINDOW_WORDS + 1].

    Raises:
        DataError: A text has hardly any sentence ends.
    """
    chosen = random.choice(len(texts), number, p=chances)
    return np.stack([_window(texts[index], random) for index in chosen]).astype(np.int64)


def _window(text: npt.NDArray[np.uint16], random: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Return a window [WINDOW_WORDS + 1] of a text [words]."""
    places = len(text) - WINDOW_WORDS
    for _ in range(_MOST_PLACES):
        place = int(random.integers(places))
        searched = np.asarray(text[place : min(place + _SEARCHED_WORDS, places)])
        ends = np.flatnonzero(searched == SENTENCE_ROW)
        if len(ends):
            begin = place + int(ends[0])
            return np.asarray(text[begin : begin + WINDOW_WORDS + 1])
    raise DataError("a text has hardly a line's end in its words; give one sentence a line")


def _progress(training: WordNetworkTraining, seen: int, elapsed: float) -> float:
    """Return which part of the training is over, 1 and more at its end."""
    progress = elapsed / (60 * training.minutes)
    return progress if training.words is None else max(progress, seen / training.words)


def _rate(progress: float) -> float:
    """Return the part of the peak rate: a linear rise, then a cosine."""
    if progress < _WARMUP:
        return progress / _WARMUP
    fall = 0.5 * (1 + math.cos(math.pi * (progress - _WARMUP) / (1 - _WARMUP)))
    return _FINAL_RATE + (1 - _FINAL_RATE) * fall
