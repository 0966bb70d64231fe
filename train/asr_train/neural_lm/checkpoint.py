"""The state of a training in a file, and networks out of it."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from asr_train.errors import CheckpointError, ConfigError
from asr_train.neural_lm.known_words import KnownWords
from asr_train.neural_lm.network import WordNetwork, WordNetworkConfig
from asr_train.output import replacing

CHECKPOINT = "training.pt"
"""The file's name in a run's folder."""


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step: Steps done.
        words: Words learned from, counting repetitions.
        seconds: Time it took.
    """

    step: int = 0
    words: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class TrainedNetwork:
    """A network from a file.

    Attributes:
        network: In evaluation mode.
        words: The words of its rows.
        source: Sentence on the texts that it learned from, which may be empty.
    """

    network: WordNetwork
    words: KnownWords
    source: str


def save_checkpoint(
    path: Path,
    network: WordNetwork,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    words: KnownWords,
    source: str,
) -> None:
    """Write the state of a training.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as partial:
        torch.save(
            {
                "model": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "progress": asdict(progress),
                "words": "\n".join(words.words),
                "source": source,
            },
            partial,
        )


def load_checkpoint(
    path: Path, network: WordNetwork, optimizer: torch.optim.Optimizer, words: KnownWords
) -> Progress:
    """Go on from what `save_checkpoint` wrote.

    Args:
        path: The file.
        network: Gets the weights.
        optimizer: Gets its state.
        words: The words that the network knows.

    Raises:
        CheckpointError: The file cannot be read, or is of another network.
    """
    state = _read(path)
    _set_weights(path, network, state)
    try:
        if state["words"] != "\n".join(words.words):
            raise CheckpointError(
                f"{path} is of a network of other words; give the same --base or another --out"
            )
        optimizer.load_state_dict(state["optimizer"])
        return Progress(**state["progress"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); start without --resume") from None


def load_weights(path: Path, network: WordNetwork) -> None:
    """Give a network the weights of a file, whose "model" is a state dict.

    Raises:
        CheckpointError: The file cannot be read, or is of a network of other sizes.
    """
    _set_weights(path, network, _read(path))


def load_network(path: Path) -> TrainedNetwork:
    """Read a network of any size.

    Args:
        path: The file, or a run's folder.

    Raises:
        CheckpointError: The file cannot be read, or does not say which words the network knows.
    """
    if path.is_dir():
        path = path / CHECKPOINT
    state = _read(path)
    try:
        network = WordNetwork(WordNetworkConfig.of_weights(state["model"]))
        words, source = state.get("words"), state.get("source", "")
        known = None if words is None else KnownWords(tuple(words.split("\n")))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ConfigError):
        raise CheckpointError(f"{path} holds no neural language model") from None
    _set_weights(path, network, state)
    if known is None:
        raise CheckpointError(
            f"{path} does not say which words it knows; give a run's folder or the file in it"
        )
    if known.rows != network.config.rows:
        raise CheckpointError(
            f"{path} holds {len(known.words):,} words for a network of {network.config.rows:,} rows"
        )
    return TrainedNetwork(network.eval(), known, str(source))


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no such checkpoint; check the path") from None
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
        raise CheckpointError(f"{path} is damaged or no checkpoint of PyTorch") from None
    if not isinstance(state, dict) or not isinstance(state.get("model"), dict):
        raise CheckpointError(f"{path} holds no neural language model")
    return state


def _set_weights(path: Path, network: WordNetwork, state: dict[str, Any]) -> None:
    """Load weights if their names and shapes are the network's, and all are numbers."""
    wanted, weights = network.state_dict(), state["model"]
    if set(weights) != set(wanted):
        raise CheckpointError(f"{path} holds weights of another kind or number of clusters")
    for name, mine in wanted.items():
        given = weights[name]
        if given.shape != mine.shape:
            raise CheckpointError(
                f"{path} is of a network of other sizes: {name} has {_shape(given)} and not "
                f"{_shape(mine)} numbers; give the settings that it was trained with"
            )
        if not torch.isfinite(given).all():
            raise CheckpointError(f"{path}: {name} holds values that are no numbers")
    network.load_state_dict(weights)


def _shape(values: torch.Tensor) -> str:
    """Write the shape of values [any] for a message."""
    return " x ".join(map(str, values.shape))
