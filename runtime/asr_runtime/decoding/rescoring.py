"""The last choice among the texts of a search: by n-grams and a neural network together.

The search compares words with the one or two before them. The texts that are near its best one, a
graph in which they share what they can, are scored once more by a network that knows the whole
sentence, mixed with the n-grams word by word (T. Mikolov et al., "Recurrent neural network based
language model", Interspeech 2010). At each node of the graph the best beginnings go on, as in X.
Liu et al., "Two efficient lattice rescoring methods using recurrent neural network language
models", IEEE/ACM Transactions on Audio, Speech, and Language Processing 24(8), 2016; but
beginnings of different words are never taken for the same, which would cost half of the gain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.traceback import BestPath
from asr_runtime.decoding.word_graph import WordGraph
from asr_runtime.decoding.word_histories import NO_WORD_ID, Context, WordHistories, WordMixture
from asr_runtime.decoding.word_scores import FIRST_HOTWORD
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.word_network import WordNetwork

_LEAST = 3.0
"""Nats by both below the best beginning at a node from which on another is given up."""


class _Beginning(NamedTuple):
    """A way from the root to a node.

    Attributes:
        lost: Nats, by the search, below the node's own way, 0 or less.
        history: Its words, as their number in `WordHistories`.
        node: The node that it came from.
        place: Which of the beginnings there.
        own: Whether it goes on from there; if not, it takes the place of the node's own ones.
    """

    lost: float
    history: int
    node: int
    place: int
    own: bool


class Rescorer:
    """Compares texts by a network beside the n-grams.

    Attributes:
        mixture: What says how probable words are.
        threshold: Nats below the search's best text that a text may be, to be compared.
    """

    def __init__(self, model: LanguageModel, network: WordNetwork, config: BeamConfig) -> None:
        """Take what all utterances have in common.

        Args:
            model: The n-grams that the search used.
            network: Scores words after all words before them.
            config: Settings of the search.
        """
        self.mixture = WordMixture(model, network, config)
        self.threshold = config.rescored_threshold
        self._most = config.rescored_texts

    def best(
        self,
        graph: WordGraph,
        words: Sequence[int],
        last: Sequence[int],
        context: Context | None = None,
    ) -> Iterator[tuple[BestPath, tuple[int, ...]]]:
        """Yield the best texts.

        Texts with other hotwords than the search's best one are none of them: whether a hotword was
        said is for the search to say, because the network knows of none.

        Args:
            graph: The texts.
            words: Id of the word that ends with each node's label, or NO_WORD_ID [nodes].
            last: Id of the word that each ending ends in the middle of, or NO_WORD_ID [endings].
            context: What was said before; None for the beginning of a sentence.

        Yields:
            A path of each text with its new score, the best first, and its words' ids.
        """
        histories = WordHistories(self.mixture, context or self.mixture.start)
        way = [*(words[node] for node in reversed(graph.way(0))), last[0]]
        said = tuple(word for word in way if word <= FIRST_HOTWORD)
        kept: list[list[_Beginning]] = [[] for _ in words]
        kept[0] = [_Beginning(0.0, 0, 0, 0, own=True)]
        for nodes in graph.levels:
            histories.extend(
                [
                    (beginning.history, words[node])
                    for node in nodes
                    if words[node] != NO_WORD_ID
                    for beginning in kept[graph.parents[node]]
                ]
            )
            for node in nodes:
                found = self._beginnings(graph, words[node], node, kept, histories)
                kept[node] = self._kept(found, histories, said, graph.distances[node])
            histories.advance([each.history for node in nodes for each in kept[node]])
        yield from self._endings(graph, last, kept, histories, said)

    def _beginnings(
        self,
        graph: WordGraph,
        word: int,
        node: int,
        kept: list[list[_Beginning]],
        histories: WordHistories,
    ) -> list[_Beginning]:
        """Return the ways to a node whose label ends a word, its own ones first."""
        parent = graph.parents[node]
        found = [
            _Beginning(
                each.lost,
                each.history if word == NO_WORD_ID else histories.known[each.history, word],
                parent,
                place,
                own=True,
            )
            for place, each in enumerate(kept[parent])
        ]
        for other, more in graph.others[node]:
            found += [
                _Beginning(each.lost - more, each.history, other, place, own=False)
                for place, each in enumerate(kept[other])
            ]
        return found

    def _kept(
        self,
        found: list[_Beginning],
        histories: WordHistories,
        said: tuple[int, ...],
        distance: float,
    ) -> list[_Beginning]:
        """Return the best ways to a node, each history once.

        Args:
            found: All ways.
            histories: Their words.
            said: Hotwords that a text must have.
            distance: Nats from the search's best text to the node.
        """
        best: dict[int, _Beginning] = {}
        for each in found:
            earlier = best.get(each.history)
            if earlier is None or each.lost > earlier.lost:
                hotwords = histories.hotwords[each.history]
                if each.lost >= distance - self.threshold and hotwords == said[: len(hotwords)]:
                    best[each.history] = each
        gains = histories.gains
        ranked = sorted(best.values(), key=lambda each: -each.lost - gains[each.history])
        if not ranked:
            return []
        least = ranked[0].lost + gains[ranked[0].history] - _LEAST
        return [each for each in ranked[: self._most] if each.lost + gains[each.history] >= least]

    def _endings(
        self,
        graph: WordGraph,
        last: Sequence[int],
        kept: list[list[_Beginning]],
        histories: WordHistories,
        said: tuple[int, ...],
    ) -> Iterator[tuple[BestPath, tuple[int, ...]]]:
        """Yield the texts, the best first."""
        histories.extend(
            [
                (each.history, word)
                for node, word in zip(graph.ends, last, strict=True)
                if word != NO_WORD_ID
                for each in kept[node]
            ]
        )
        found = []
        for ending, node, word in zip(graph.endings, graph.ends, last, strict=True):
            for place, each in enumerate(kept[node]):
                history = each.history
                if word != NO_WORD_ID:
                    history = histories.known[history, word]
                if histories.hotwords[history] == said:
                    score = ending.score + each.lost + histories.gains[history]
                    found.append((score, history, ending, node, place))
        found.sort(key=lambda each: -each[0])
        seen = set()
        for score, history, path, node, place in found:
            if history in seen:
                continue
            seen.add(history)
            while node:
                beginning = kept[node][place]
                if not beginning.own:
                    path = graph.with_beginning(path, node, beginning.node)
                node, place = beginning.node, beginning.place
            yield graph.finished(path, score), histories.words(history)


def make_rescorer(model: LanguageModel, config: BeamConfig) -> Rescorer | None:
    """Return what compares the best texts of a search once more, None if nothing does."""
    if model.network is None or not config.network_share:
        return None
    return Rescorer(model, model.network, config)
