"""How well a network, an n-gram model and both together predict sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asr_runtime.language.language_model import LanguageModel
from asr_train.data.text import CorpusReport, read_blocks
from asr_train.neural_lm.known_words import KnownWords
from asr_train.neural_lm.network import FIRST_ROW, SENTENCE_ROW, UNKNOWN_ROW, WordNetwork

_BATCH = 64


@dataclass(frozen=True)
class Perplexities:
    """Perplexities over the words that the network knows, sentence ends left out.

    Attributes:
        words: How many words these are.
        ngrams: Of the n-gram model.
        network: Of the network.
        mixture: Of both, each with half of the probability.
    """

    words: int
    ngrams: float
    network: float
    mixture: float

    def __str__(self) -> str:
        return (
            f"{self.words:,} words that the network knows: n-grams {self.ngrams:.1f}, network "
            f"{self.network:.1f}, both in equal parts {self.mixture:.1f}"
        )


def read_sentences(path: Path) -> list[list[str]]:
    """Read a text that `read_blocks` reads, as the words of each sentence.

    Raises:
        DataError: The text cannot be read.
    """
    blocks = read_blocks([path], CorpusReport())
    lines = [line for block in blocks for line in block.decode("ascii").split("\n")]
    return [words for line in lines if (words := line.split())]


def perplexities(
    network: WordNetwork, known: KnownWords, ngrams: LanguageModel, sentences: Sequence[list[str]]
) -> Perplexities:
    """Score sentences.

    Args:
        network: In evaluation mode.
        known: The words of its rows.
        ngrams: The n-gram model.
        sentences: The words of each.

    Returns:
        The perplexities, not a number where the network knows no word.
    """
    rows = {word: row for row, word in enumerate(known.words, FIRST_ROW)}
    encoded = [[rows.get(word, UNKNOWN_ROW) for word in words] for words in sentences]
    totals, number = np.zeros(3), 0
    for index, by_network in _scores(network, encoded):
        mine = np.array(encoded[index]) != UNKNOWN_ROW
        of_network = by_network[mine]
        of_ngrams = ngrams.log_probs(sentences[index])[mine].astype(np.float64)
        of_both = np.logaddexp(of_ngrams, of_network) + np.log(0.5)
        totals += [of_ngrams.sum(), of_network.sum(), of_both.sum()]
        number += int(mine.sum())
    found = np.exp(-totals / number) if number else np.full(3, np.nan)
    return Perplexities(number, *found.tolist())


def _scores(
    network: WordNetwork, encoded: Sequence[list[int]]
) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Yield each sentence's index and its words' natural-log probabilities, float64 [words]."""
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    for begin in range(0, len(order), _BATCH):
        batch = order[begin : begin + _BATCH]
        longest = max(len(encoded[index]) for index in batch)
        rows = torch.full((len(batch), longest + 1), SENTENCE_ROW)
        for place, index in enumerate(batch):
            rows[place, 1 : len(encoded[index]) + 1] = torch.tensor(encoded[index])
        with torch.inference_mode():
            scores = -network(rows[:, :-1], rows[:, 1:]).double().numpy()
        for place, index in enumerate(batch):
            yield index, scores[place, : len(encoded[index])]
