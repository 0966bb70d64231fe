"""One frame of the search by letters: hypotheses stay, add a letter, and end words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hypotheses import (
    BLANK,
    CONTEXT,
    KEY,
    LABEL,
    LOG_ZERO,
    LOOKAHEAD,
    NODE,
    PREFIX,
    SPOKEN,
    TEXT,
    Floats,
    Hypotheses,
    Integers,
    hash_texts,
)
from asr_runtime.decoding.recombinations import Recombinations
from asr_runtime.decoding.search_state import merge
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language.lexicon import NO_WORD, ROOT, Lexicon

NODE_BITS = 24
"""Of a node in a hypothesis's key, below its context."""

_OUTSIDE = np.int64(-(1 << 63))


class BeamSteps:
    """The steps with one lexicon and language model; see `BeamSearch`."""

    def __init__(self, lexicon: Lexicon, words: WordScorer, space: int, config: BeamConfig) -> None:
        """Prepare what all frames have in common.

        Args:
            lexicon: Tree of the words' letters.
            words: Scores words.
            space: The space's class.
            config: Settings of the search.
        """
        self._lexicon = lexicon
        self._words = words
        self._space = space
        self._config = config
        self._best = lexicon.best
        # What a number of letters scores as a word outside the vocabulary.
        self._unknown = -(
            config.unknown_word_penalty
            + config.unknown_letter_penalty * np.arange(int(lexicon.depth.max()) + 2)
        )
        # No word that ends at a node gains more than this; outside there is no telling.
        most = np.full(len(lexicon.word), max(0.0, float(words.expected.max(initial=0))) + 5.0)
        unknown = np.flatnonzero(lexicon.word[: lexicon.outside] == NO_WORD)
        most[unknown] += self._unknown[lexicon.depth[unknown]]
        self._most = most.astype(np.float32)

    def step(
        self,
        beam: Hypotheses,
        stay: Hypotheses,
        total: Floats,
        row: Floats,
        labels: Integers,
        boundary: bool,
        recombinations: Recombinations | None = None,
    ) -> Hypotheses:
        """Search a frame in which some labels are likely.

        Args:
            beam: The hypotheses before it.
            stay: Those of them that add nothing in it.
            total: Total log-probability of each before it, float64 [hypotheses].
            row: Adjusted log-probabilities, float64 [classes].
            labels: Letters that are likely, int64 [labels].
            boundary: Whether a space is likely.
            recombinations: Notes what is given up, if that is wanted.

        Returns:
            The hypotheses after it.
        """
        stay_total = stay.total()
        node, given = beam.fields[NODE], beam.scores[LOOKAHEAD]
        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        again = beam.fields[LABEL][:, None] == labels
        scores = np.where(again, beam.scores[BLANK][:, None], total[:, None])
        scores += row.take(labels)
        nodes = self._lexicon.children.after(node, labels)
        # What the begun word is worth with the label: in the lexicon, or outside of it.
        ahead = self._best.take(nodes).astype(np.float64)
        leaving = self._unknown.take(self._lexicon.depth.take(node) + 1)
        left = node == self._lexicon.outside
        if left.any():
            leaving[left] = given[left] - self._config.unknown_letter_penalty
        np.copyto(ahead, leaving[:, None], where=nodes == self._lexicon.outside)
        scores += ahead
        scores -= given[:, None]

        limit = max(stay_total.max(), scores.max(initial=LOG_ZERO)) - self._config.beam_threshold
        options = [stay.take((stay_total > limit).nonzero()[0])]
        chosen = (scores > limit).ravel().nonzero()[0]
        if len(chosen):
            options.append(self._spelled(beam, chosen, labels, nodes, scores, ahead))
        if boundary:
            options.append(self._ended(beam, total + row[self._space], limit))
        return merge(Hypotheses.joined(options), self._config.beam_size, recombinations)

    def _spelled(
        self,
        beam: Hypotheses,
        chosen: Integers,
        labels: Integers,
        nodes: npt.NDArray[np.int32],
        scores: Floats,
        ahead: Floats,
    ) -> Hypotheses:
        """Return hypotheses that each add a letter to one of the beam's.

        Args:
            beam: The hypotheses before the frame.
            chosen: Which combinations of hypothesis and label, as flat indices into [hypotheses,
                labels].
            labels: The labels that are considered [labels].
            nodes: Node after each hypothesis and label, int32 [hypotheses, labels].
            scores: Score of each combination, float64 [hypotheses, labels].
            ahead: Look-ahead of each combination, float64 [hypotheses, labels].
        """
        parents, columns = np.divmod(chosen, len(labels))
        fields = beam.fields.take(parents, axis=1)
        label, node = labels.take(columns), nodes.take(chosen)
        key = fields[CONTEXT] << NODE_BITS
        key |= node
        outside = (node == self._lexicon.outside).nonzero()[0]
        if len(outside):
            # There the letters are told apart by a hash, which no key of a node can equal.
            key[outside] = hash_texts(fields[KEY, outside], label[outside]) | _OUTSIDE
        fields[KEY] = key
        fields[TEXT] = hash_texts(fields[TEXT], label)
        fields[NODE] = node
        fields[LABEL] = label
        fields[PREFIX] = ~fields[PREFIX]
        log_scores = np.empty((3, len(chosen)))
        log_scores[BLANK] = LOG_ZERO
        log_scores[SPOKEN] = scores.take(chosen)
        log_scores[LOOKAHEAD] = ahead.take(chosen)
        return Hypotheses(fields, log_scores)

    def _ended(self, beam: Hypotheses, scores: Floats, limit: float) -> Hypotheses:
        """Return hypotheses that end their words."""
        scores = scores - beam.scores[LOOKAHEAD]
        node = beam.fields[NODE]
        parents = ((node != ROOT) & (scores > limit - self._most.take(node))).nonzero()[0]
        gains, context = self.end_words(beam, parents)
        gains += scores.take(parents)
        kept = (gains > limit).nonzero()[0]
        fields = beam.fields.take(parents.take(kept), axis=1)
        fields[CONTEXT] = context.take(kept)
        fields[KEY] = fields[CONTEXT] << NODE_BITS
        fields[TEXT] = hash_texts(fields[TEXT], self._space)
        fields[NODE] = ROOT
        fields[LABEL] = self._space
        fields[PREFIX] = ~fields[PREFIX]
        log_scores = np.zeros((3, len(kept)))
        log_scores[BLANK] = gains.take(kept)
        log_scores[SPOKEN] = LOG_ZERO
        return Hypotheses(fields, log_scores)

    def end_words(self, beam: Hypotheses, index: Integers) -> tuple[Floats, Integers]:
        """Score the begun words of some hypotheses.

        Args:
            beam: The hypotheses.
            index: Which of them, int64 [chosen].

        Returns:
            Scores in nats, float64 [chosen], and the contexts after the words, int64 [chosen].
        """
        nodes = beam.fields[NODE].take(index)
        words = self._lexicon.word.take(nodes)
        gains, context = self._words.score(beam.fields[CONTEXT].take(index), words)
        unknown = (words == NO_WORD).nonzero()[0]
        if len(unknown):
            # The letters to the node, or what those outside of the lexicon have cost so far.
            nodes = nodes[unknown]
            cost = np.where(
                nodes == self._lexicon.outside,
                beam.scores[LOOKAHEAD].take(index[unknown]),
                self._unknown[self._lexicon.depth[nodes]],
            )
            gains[unknown] += cost
        return gains, context
