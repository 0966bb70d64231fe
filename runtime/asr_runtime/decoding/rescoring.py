"""The last choice among the best texts of a search: by n-grams and a neural network together.

The search compares words with the one or two before them. Its best texts are scored once more by a
network that knows the whole sentence, mixed with the n-grams word by word (T. Mikolov et al.,
"Recurrent neural network based language model", Interspeech 2010). What texts have in common from
their first word on is computed once.

To share also what the network says after the same last four words, whatever came before them
(X. Liu et al., "Two efficient lattice rescoring methods using recurrent neural network language
models", IEEE/ACM Transactions on Audio, Speech, and Language Processing 24(8), 2016), would save
two thirds of the network's time and cost half of what it gains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.decoder import Decoder, P, S, TextRanking
from asr_runtime.decoding.traceback import BestPath
from asr_runtime.decoding.word_scores import FIRST_HOTWORD
from asr_runtime.language.language_model import UNKNOWN, LanguageModel
from asr_runtime.language.word_network import BOUNDARY_ROW, FIRST_ROW, WordNetwork

T = TypeVar("T")

_MOST_PATHS = 5
"""Paths that are looked at for each text that is wanted; some differ in pronunciations alone."""


class Rescorer:
    """Scores whole texts with a network beside the n-grams."""

    def __init__(self, model: LanguageModel, network: WordNetwork, config: BeamConfig) -> None:
        """Take what all utterances have in common.

        Args:
            model: The n-grams that the search used.
            network: Scores words after all words before them.
            config: Settings of the search.
        """
        self._model, self._network = model, network
        self._weight = config.language_model_weight
        self._texts, self._threshold = config.rescored_texts, config.rescored_threshold
        share = config.network_share
        self._ngram_share, self._network_share = np.log1p(-share), np.log(share)

    def best(self, paths: Iterable[tuple[BestPath, Sequence[int]]], texts: int) -> list[BestPath]:
        """Return the best texts in the order of their scores by both.

        Args:
            paths: Paths of the search, the most probable first, and the ids of their words.
            texts: How many texts are wanted. Which is the best does not depend on it: texts that
                are too improbable to be compared come last.

        Returns:
            One path of each text, with its new score.
        """
        found: dict[tuple[int, ...], BestPath] = {}
        further: dict[tuple[int, ...], BestPath] = {}
        least = -np.inf
        said: tuple[int, ...] = ()
        looks = _MOST_PATHS * max(texts, self._texts)
        for _, (path, ids) in zip(range(looks), paths, strict=False):
            if not found:
                least, said = path.score - self._threshold, _hotwords(ids)
            # Whether a hotword was said is for the search to say: the network knows of none.
            near = len(found) < self._texts and path.score >= least
            worth = near and _hotwords(ids) == said
            if not near and len(found) + len(further) >= texts:
                break
            if tuple(ids) not in found:
                (found if worth else further).setdefault(tuple(ids), path)
        # Sorts are stable: of equals the search's own order decides.
        ranked = self._rescored(found) + self._rescored(further)
        scores = np.minimum.accumulate([path.score for path in ranked]).tolist()
        return [replace(path, score=score) for path, score in zip(ranked, scores, strict=True)]

    def _rescored(self, paths: Mapping[tuple[int, ...], BestPath]) -> list[BestPath]:
        """Return paths, given by the ids of their words, with new scores and in their order."""
        gains = self.gains(list(paths))
        rescored = [
            replace(path, score=path.score + gain)
            for path, gain in zip(paths.values(), gains, strict=True)
        ]
        return sorted(rescored, key=lambda path: -path.score)

    def gains(self, texts: Sequence[Sequence[int]]) -> list[float]:
        """Say how much more probable texts are than by the n-grams alone.

        Words that the network does not know stay as probable as they were.

        Args:
            texts: Word ids of each; of hotwords, FIRST_HOTWORD and below.

        Returns:
            Nats of the search's scores for each text.
        """
        beginnings = _share_beginnings(texts)
        if not len(beginnings.ids):
            return [0.0] * len(texts)
        ngrams = self._ngram_log_probs(beginnings)
        rows = self._network.row.take(beginnings.ids)
        known = rows >= FIRST_ROW
        network = self._network_log_probs(beginnings, rows)
        mixed = np.logaddexp(ngrams + self._ngram_share, network + self._network_share)
        gain = np.where(known, mixed - ngrams, 0.0) * self._weight
        return [float(gain[text].sum()) for text in beginnings.texts]

    def _ngram_log_probs(self, beginnings: _Beginnings) -> npt.NDArray[np.float64]:
        """Return the n-grams' log-probability of each word, float64 [words]."""
        states = np.full(len(beginnings.ids), self._model.start, np.int32)
        for distance in (2, 1):
            earlier = beginnings.earlier[distance - 1]
            there = earlier >= 0
            states[there] = self._model.score(states[there], earlier[there])[1]
        return self._model.score(states, beginnings.ids)[0].astype(np.float64)

    def _network_log_probs(
        self, beginnings: _Beginnings, rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return the network's log-probability of each word [words], whose rows are [words]."""
        network = self._network
        inputs = network.inputs(np.append(BOUNDARY_ROW, rows))
        states = np.zeros((len(rows) + 1, network.hidden), np.float32)
        states[:1] = network.advance(inputs[:1], states[:1])
        before = beginnings.parent + 1
        for words in beginnings.by_depth:
            states[words + 1] = network.advance(inputs[words + 1], states[before[words]])
        return network.log_probs(states, before, rows)


def make_rescorer(model: LanguageModel, config: BeamConfig) -> Rescorer | None:
    """Return what compares the best texts of a search once more, None if nothing does."""
    if model.network is None or not config.network_share:
        return None
    return Rescorer(model, model.network, config)


def best_texts(
    decoder: Decoder[S, P], state: S, write: Callable[[BestPath], T], texts: int = 1
) -> tuple[T, BestPath, Iterable[BestPath]]:
    """Return the best text of an utterance that ends here.

    Args:
        decoder: The decoder.
        state: How far its search has come; begun with notes if there is a rescorer, or if more
            than one text is wanted.
        write: Writes a path; ValueError if its frames do not suffice for that.
        texts: How many texts are wanted.

    Returns:
        What was written of the best path, that path, and the best paths, the best of all first.
    """
    if decoder.rescorer is not None:
        ranked = ranked_paths(decoder, decoder.rescorer, state, texts)
        for path in ranked:
            # The search joins paths, so that a part of one need not be a path.
            with suppress(ValueError):
                return write(path), path, ranked
    found = decoder.search.finish(state)
    return write(found), found, decoder.search.alternatives(state)


def ranked_paths(
    decoder: Decoder[S, P], rescorer: TextRanking, state: S, texts: int = 1
) -> list[BestPath]:
    """Return the best paths of a search that was begun with notes, the best of all first."""
    paths = decoder.search.alternatives(state)
    return rescorer.best(((path, decoder.word_ids(path.labels)) for path in paths), texts)


@dataclass(frozen=True)
class _Beginnings:
    """The words of several texts, those with all words before them in common once.

    Attributes:
        ids: Word ids, int32 [words].
        earlier: Ids of the word before each, and of the one before that; -1 for none. int32
            [2, words].
        parent: The word before each, by its place here; -1 for none. int64 [words].
        by_depth: Places of the first words, then of the second ones, and so on, int64 [places].
        texts: Places of the words of each text, int64 [words of the text].
    """

    ids: npt.NDArray[np.int32]
    earlier: npt.NDArray[np.int32]
    parent: npt.NDArray[np.int64]
    by_depth: list[npt.NDArray[np.int64]]
    texts: list[npt.NDArray[np.int64]]


def _hotwords(ids: Sequence[int]) -> tuple[int, ...]:
    """Return the hotwords among the words [words] of a text, in order."""
    return tuple(word for word in ids if word <= FIRST_HOTWORD)


def _share_beginnings(texts: Sequence[Sequence[int]]) -> _Beginnings:
    """Join the words of texts [texts][words] as far as those begin alike."""
    places: dict[tuple[int, int], int] = {}
    by_depth: list[list[int]] = []
    found: list[npt.NDArray[np.int64]] = []
    for text in texts:
        place = -1
        path = []
        for depth, word in enumerate(text):
            new = len(places)
            place = places.setdefault((place, word), new)
            if place == new:
                if depth == len(by_depth):
                    by_depth.append([])
                by_depth[depth].append(place)
            path.append(place)
        found.append(np.array(path, np.int64))
    parent, ids = np.array(list(places), np.int64).reshape(-1, 2).T
    ids = np.where(ids <= FIRST_HOTWORD, UNKNOWN, ids)
    # None is before the first word, nor before that.
    before = np.append(ids, -1)[parent]
    grandparent = np.append(parent, -1)[parent]
    earlier = np.stack([before, np.append(ids, -1)[grandparent]]).astype(np.int32)
    depths = [np.array(each, np.int64) for each in by_depth]
    return _Beginnings(ids.astype(np.int32), earlier, parent, depths, found)
