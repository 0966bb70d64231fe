"""One frame of the search by phonemes: hypotheses stay, add a phoneme, and end words."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hypotheses import (
    BEGAN,
    BLANK,
    CONTEXT,
    KEY,
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
from asr_runtime.decoding.phoneme_state import PhonemeSearchState
from asr_runtime.decoding.search_state import merge
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language import phonemes
from asr_runtime.language.pronunciation_tree import PronunciationTree

NODE_BITS = 24
"""Of a node in a hypothesis's key, below its context."""

# So much more words are expected to score after others than by themselves; few score more.
_SURPRISE = 2.5


class PhonemeSteps:
    """The steps with one tree of pronunciations and language model; see `PhonemeSearch`."""

    def __init__(self, tree: PronunciationTree, words: WordScorer, config: BeamConfig) -> None:
        """Prepare what all frames have in common.

        Args:
            tree: Tree of the pronunciations.
            words: Scores words.
            config: Settings of the search.
        """
        self._tree = tree
        self._config = config
        # What each pronunciation scores at most, without its penalty.
        self._most = words.expected.take(tree.word) + np.float32(_SURPRISE)
        self._most[tree.unknown :] = words.expected_unknown + _SURPRISE
        # What a phoneme of an unknown word scores after each phoneme, or as the first.
        self._unknown = tree.follows[:, : phonemes.BLANK] - config.unknown_letter_penalty
        self._unknown += words.expected_unknown
        self._unknown[phonemes.BLANK] -= config.unknown_word_penalty
        # Unknown words are many and seldom said: they have a beam between the two others.
        self._near = (config.beam_threshold + config.word_end_threshold) / 2
        self._begin_unknown = float(self._unknown[phonemes.BLANK].max())

    def widened(self, factor: float) -> PhonemeSteps:
        """Return the same steps with a beam that is so many times as wide, for ends of words too.

        Args:
            factor: What the beam's size and threshold are multiplied by.
        """
        threshold = self._config.beam_threshold * factor
        wide = copy.copy(self)
        wide._config = replace(
            self._config,
            beam_size=int(self._config.beam_size * factor),
            beam_threshold=threshold,
            word_end_threshold=threshold,
        )
        wide._near = threshold
        return wide

    def step(self, state: PhonemeSearchState, row: Floats, labels: Integers, frame: int) -> None:
        """Search a frame in which some labels are likely.

        Args:
            state: How far the search has come; its hypotheses are replaced.
            row: Log-probabilities with the blank's penalty, float64 [phonemes + 1].
            labels: Phonemes that are likely, int64 [labels].
            frame: Number of the frame.
        """
        beam, tree = state.beam, self._tree
        node, (blank, spoken, given) = beam.fields[NODE], beam.scores
        last = tree.label.take(node)
        total = np.logaddexp(blank, spoken)
        log_scores = self.staying(beam, row, total, last)
        staying = np.maximum(log_scores[BLANK], log_scores[SPOKEN])

        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        again = last[:, None] == labels
        base = np.where(again, (blank - given)[:, None], (total - given)[:, None])
        base += row.take(labels)
        nodes = tree.children.after(node, labels)
        scores = np.add(base, tree.best.take(nodes), dtype=np.float64).ravel()
        plain = self._without_promises(staying, scores, node, nodes)
        best = max(float(plain[0].max()), float(plain[1].max()))
        limit = best - self._config.beam_threshold
        if len(staying) + len(scores) > self._config.beam_size:
            limit = self._narrowed(limit, *plain)

        kept = (staying > limit).nonzero()[0]
        options = [Hypotheses(beam.fields.take(kept, axis=1), log_scores.take(kept, axis=1))]
        chosen = (scores > limit).nonzero()[0]
        added = []
        if len(chosen):
            parents = chosen // len(labels) if len(labels) > 1 else chosen
            added.append(
                self._spoken(beam, parents, nodes.take(chosen), scores.take(chosen), frame)
            )
        # Where unknown words are dear, most frames need not look at them.
        near = max(limit, best - self._near)
        dear = float(total.max()) + float(row.take(labels).max()) + self._begin_unknown <= near
        if not dear or int(node.max()) >= tree.outside:
            added += self._unknown_words(beam, base, labels, best, limit, frame)
        if added:
            spoken = Hypotheses.joined(added) if len(added) > 1 else added[0]
            options += [spoken, *self._ended(state, spoken, best, limit, frame)]
        joined = Hypotheses.joined(options)
        size = self._config.beam_size
        if tree.promised is not None:
            size += int(np.count_nonzero(tree.promised.take(joined.fields[NODE])))
        state.beam = merge(joined, size, state.recombinations)

    def _without_promises(
        self,
        staying: Floats,
        scores: Floats,
        node: Integers,
        nodes: npt.NDArray[np.int32],
    ) -> tuple[Floats, Floats]:
        """Return scores without what begun hotwords are promised.

        The promise keeps them in the beam. If it also moved the beam's limits, it would drive all
        other words out of it wherever something sounds like the beginning of a hotword.

        Args:
            staying: Scores of hypotheses that add nothing, float64 [hypotheses].
            scores: Scores of those that add a label, float64 [hypotheses * labels].
            node: Node of each hypothesis, int64 [hypotheses].
            nodes: Node after each hypothesis and label, int32 [hypotheses, labels].

        Returns:
            Both, float64 [hypotheses] and [hypotheses * labels].
        """
        promised = self._tree.promised
        if promised is None:
            return staying, scores
        return staying - promised.take(node), scores - promised.take(nodes).ravel()

    def between(self, hypotheses: Hypotheses) -> npt.NDArray[np.bool_]:
        """Tell which hypotheses are between words, bool [hypotheses]."""
        node = hypotheses.fields[NODE]
        between: npt.NDArray[np.bool_] = (node >= self._tree.roots) & (node < self._tree.outside)
        return between

    def staying(
        self,
        beam: Hypotheses,
        row: Floats,
        total: Floats | None = None,
        last: npt.NDArray[np.uint8] | None = None,
    ) -> Floats:
        """Return the scores of hypotheses that add nothing in a frame.

        Args:
            beam: The hypotheses.
            row: Log-probabilities with the blank's penalty, float64 [phonemes + 1].
            total: Total log-probability of each hypothesis, float64 [hypotheses], if it is known.
            last: Last label of each hypothesis, uint8 [hypotheses], if it is known.

        Returns:
            New `Hypotheses.scores`, float64 [3, hypotheses].
        """
        if total is None or last is None:
            total, last = beam.total(), self._tree.label.take(beam.fields[NODE])
        log_scores = np.empty_like(beam.scores)
        np.add(total, row[phonemes.BLANK], out=log_scores[BLANK])
        np.add(beam.scores[SPOKEN], row.take(last), out=log_scores[SPOKEN])
        log_scores[LOOKAHEAD] = beam.scores[LOOKAHEAD]
        return log_scores

    def _narrowed(self, limit: float, staying: Floats, scores: Floats) -> float:
        """Return the limit, or a higher one that no more hypotheses reach than are kept."""
        both = np.concatenate((staying, scores))
        both = both[both > limit]
        size = self._config.beam_size
        return float(np.partition(both, -size)[-size]) if len(both) > size else limit

    def _spoken(
        self,
        beam: Hypotheses,
        parents: Integers,
        nodes: npt.NDArray[Any],
        scores: Floats,
        frame: int,
    ) -> Hypotheses:
        """Return hypotheses that each add a phoneme to one of the beam's."""
        tree = self._tree
        fields = beam.fields.take(parents, axis=1)
        log_scores = np.empty((3, len(parents)))
        log_scores[BLANK] = LOG_ZERO
        log_scores[SPOKEN] = scores
        log_scores[LOOKAHEAD] = tree.best.take(nodes)
        added = Hypotheses(fields, log_scores)
        np.copyto(fields[BEGAN], frame, where=self.between(added))
        fields[NODE] = nodes
        np.left_shift(fields[CONTEXT], NODE_BITS, out=fields[KEY])
        fields[KEY] |= nodes
        return added

    def _unknown_words(
        self,
        beam: Hypotheses,
        base: Floats,
        labels: Integers,
        best: float,
        limit: float,
        frame: int,
    ) -> list[Hypotheses]:
        """Return hypotheses that begin an unknown word or go on in one, if any do."""
        tree, node = self._tree, beam.fields[NODE]
        rows = (node >= tree.roots).nonzero()[0]
        node = node.take(rows)
        before = np.where(node >= tree.outside, tree.label.take(node), phonemes.BLANK)
        scores = base.take(rows, axis=0)
        scores += self._unknown[before[:, None], labels]
        near = max(limit, best - self._near)
        chosen = (scores > near).ravel().nonzero()[0]
        if not len(chosen):
            return []
        places, columns = np.divmod(chosen, len(labels))
        nodes: Integers = np.add(labels.take(columns), tree.outside)
        added = self._spoken(beam, rows.take(places), nodes, scores.take(chosen), frame)
        # Its phonemes tell an unknown word from others.
        added.fields[TEXT] = hash_texts(added.fields[TEXT], np.invert(nodes))
        return [added]

    def _ended(
        self,
        state: PhonemeSearchState,
        spoken: Hypotheses,
        best: float,
        limit: float,
        frame: int,
    ) -> list[Hypotheses]:
        """Return hypotheses whose words end with the phoneme that they just added, if any do.

        Args:
            state: How far the search has come.
            spoken: Hypotheses that just added a phoneme.
            best: Best score of all hypotheses before words ended.
            limit: Least score of a hypothesis that is kept.
            frame: Number of the frame.
        """
        tree = self._tree
        limit = max(limit, best - self._config.word_end_threshold)
        # No word scores much more than was given in advance.
        able = (spoken.scores[SPOKEN] > limit - _SURPRISE).nonzero()[0]
        node = spoken.fields[NODE].take(able)
        ends = tree.ends.take(node)
        number = tree.ends.take(node + 1) - ends
        ending = number.nonzero()[0]
        if not len(ending):
            return []
        parents, ends, number = able.take(ending), ends.take(ending), number.take(ending)
        if int(number.max()) > 1:
            place = np.arange(int(number.sum())) - (number.cumsum() - number).repeat(number)
            parents, ends = parents.repeat(number), ends.repeat(number) + place
        scores = (spoken.scores[SPOKEN] - spoken.scores[LOOKAHEAD]).take(parents)
        scores -= tree.penalty.take(ends)
        able = (scores + self._most.take(ends) > limit).nonzero()[0]
        if not len(able):
            return []
        ends, parents = ends.take(able), parents.take(able)
        words = tree.word.take(ends)
        gains, context = state.words.score(spoken.fields[CONTEXT].take(parents), words)
        gains += scores.take(able)
        kept = (gains > limit).nonzero()[0]
        if not len(kept):
            return []
        ends = ends.take(kept)
        fields = spoken.fields.take(parents.take(kept), axis=1)
        fields[CONTEXT] = context.take(kept)
        fields[TEXT] = hash_texts(fields[TEXT], words.take(kept))
        fields[NODE] = tree.label.take(fields[NODE])
        fields[NODE] += tree.roots
        np.left_shift(fields[CONTEXT], NODE_BITS, out=fields[KEY])
        fields[KEY] |= fields[NODE]
        fields[PREFIX] = state.traceback.add(fields[PREFIX], ends, fields[BEGAN])
        if state.recombinations is not None:
            state.recombinations.name(fields[TEXT])
        # From now on, when the last word ended.
        fields[BEGAN] = frame
        log_scores = np.zeros((3, len(kept)))
        log_scores[BLANK] = LOG_ZERO
        log_scores[SPOKEN] = gains.take(kept)
        return [Hypotheses(fields, log_scores)]
