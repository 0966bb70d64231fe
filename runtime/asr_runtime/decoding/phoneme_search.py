"""CTC beam search over words by their sounds, with whole-array operations over the hypotheses.

As `beam_search`, but down a tree of pronunciations. There is no label between words: a hypothesis
that comes to a phoneme with which words end goes on in the tree, and is also ended, once for each
of these words. To count no path twice, only what comes to the phoneme in this frame is ended in it.
Frames in which nothing but the blank is likely are skipped, which are most (Z. Chen, Y. Zhuang,
Y. Qian, K. Yu, "Phone synchronous speech recognition with CTC lattices", IEEE/ACM Transactions on
Audio, Speech, and Language Processing 25(1), 2017).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hypotheses import (
    AHEAD,
    BEGAN,
    BLANK,
    CONTEXT,
    KEY,
    NEVER,
    NODE,
    SPOKEN,
    TEXT,
    TRACE,
    Floats,
    Hypotheses,
    Integers,
    hash_texts,
    merge,
)
from asr_runtime.decoding.search_state import Found, SearchState
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language import phonemes
from asr_runtime.language.lexicon import NO_WORD
from asr_runtime.language.pronunciation_tree import PronunciationTree

_IMPROBABLE = -1e4
_FINALISTS = 16
_NODE_BITS = 24
# A word may score so much more after others than by itself.
_SURPRISE = 5.0


class PhonemeSearch:
    """The search with one tree of pronunciations and language model."""

    def __init__(self, tree: PronunciationTree, words: WordScorer, config: BeamConfig) -> None:
        if tree.nowhere >= 1 << _NODE_BITS:
            raise ValueError("the tree is too large")
        self._tree = tree
        self._words = words
        self._config = config
        self._best = tree.best
        self._label = tree.label
        self._number = np.diff(tree.ends)
        # What each pronunciation scores at most, and the unknown word in advance.
        self._most = words.expected[tree.word] - tree.penalty + np.float32(_SURPRISE)
        self._begin_unknown = words.expected_unknown - config.unknown_word_penalty

    def run(self, log_probs: npt.NDArray[np.floating[Any]]) -> Found:
        """Search one utterance [frames, phonemes + 1] of natural-log probabilities."""
        state = self.begin()
        self.advance(state, log_probs)
        return self.finish(state)

    def begin(self) -> SearchState:
        """The state before an utterance."""
        whole = np.zeros((6, 1), np.int64)
        whole[CONTEXT] = self._words.start
        whole[NODE] = self._tree.roots + phonemes.BLANK
        whole[KEY] = (whole[CONTEXT] << _NODE_BITS) | whole[NODE]
        nats = np.zeros((3, 1))
        nats[SPOKEN] = NEVER
        return SearchState(Hypotheses(whole, nats))

    def quiet(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Frames in which no label is considered [frames], of log-probabilities as for `run`."""
        quiet: npt.NDArray[np.bool_] = ~np.logical_or.reduce(self._likely(log_probs), axis=1)
        return quiet

    def advance(self, state: SearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames [frames, phonemes + 1] of an utterance, any number of them.

        The state afterwards does not depend on how the frames were divided. A frame takes the same
        time however many there were before it.
        """
        # Impossible is very improbable here, so that there is always a best text.
        scores = np.maximum(log_probs.astype(np.float64), _IMPROBABLE)
        likely = self._likely(scores)
        scores[:, phonemes.BLANK] -= self._config.blank_penalty
        quiet = ~np.logical_or.reduce(likely, axis=1)
        blank = scores[:, phonemes.BLANK].tolist()
        for frame, silent in enumerate(quiet.tolist()):
            if silent:
                state.silence += blank[frame]
                state.silent = True
            else:
                _settle_silence(state)
                labels = likely[frame].nonzero()[0]
                self._step(state, scores[frame], labels, state.frames + frame)
                if state.trace.crowded:
                    prefixes = state.beam.whole[TRACE]
                    prefixes[:] = state.trace.keep(prefixes)
        state.frames += len(scores)

    def best(self, state: SearchState) -> Found:
        """The words that are ahead so far, without one that is being spoken."""
        total = state.beam.total()
        index = int(total.argmax())
        found, began = state.trace.follow(int(state.beam.whole[TRACE, index]))
        return Found(found, began, float(total[index]) + state.silence)

    def finish(self, state: SearchState) -> Found:
        """The best text of an utterance that ends here. The state stays as it is."""
        beam = state.beam
        total = beam.total()
        node = beam.whole[NODE]
        complete = (node >= self._tree.roots) & (node < self._tree.outside)
        if complete.any():
            total[~complete] = NEVER
        total = total + self._words.finish(beam.whole[CONTEXT])
        # One text may stand with several last phonemes.
        scores: dict[int, float] = {}
        first: dict[int, int] = {}
        for index in total.argsort()[::-1][:_FINALISTS].tolist():
            text = int(beam.whole[TEXT, index])
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), total[index]))
            first.setdefault(text, index)
        best = max(scores, key=scores.__getitem__)
        found, began = state.trace.follow(int(beam.whole[TRACE, first[best]]))
        return Found(found, began, scores[best] + state.silence)

    def _likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, phonemes.BLANK] = False
        return likely

    def _step(self, state: SearchState, row: Floats, labels: Integers, frame: int) -> None:
        """The hypotheses after a frame in which some labels are likely."""
        beam, tree = state.beam, self._tree
        node = beam.whole[NODE]
        last = self._label.take(node)
        total = beam.total()
        nats = np.empty_like(beam.nats)
        np.add(total, row[phonemes.BLANK], out=nats[BLANK])
        np.add(beam.nats[SPOKEN], row.take(last), out=nats[SPOKEN])
        nats[AHEAD] = beam.nats[AHEAD]
        staying = np.maximum(nats[BLANK], nats[SPOKEN])

        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        base = np.where(last[:, None] == labels, beam.nats[BLANK][:, None], total[:, None])
        base += row.take(labels)
        base -= beam.nats[AHEAD][:, None]
        nodes = tree.children.after(node, labels)
        scores = base + self._best.take(nodes)
        limit = self._limit(staying, scores)
        kept = (staying > limit).nonzero()[0]
        options = [Hypotheses(beam.whole.take(kept, axis=1), nats.take(kept, axis=1))]
        chosen = (scores > limit).ravel().nonzero()[0]
        if len(chosen):
            parents = chosen // len(labels)
            reached = nodes.take(chosen)
            spoken = self._spoken(beam, parents, reached, scores.take(chosen), frame)
            spoken.nats[AHEAD] = self._best.take(reached)
            options.append(spoken)
            ended = self._ended(state, spoken, limit)
            if ended is not None:
                options.append(ended)
        options += self._unknown(state, base, labels, limit, frame)
        state.beam = merge(Hypotheses.joined(options), self._config.beam_size)

    def _limit(self, staying: Floats, scores: Floats) -> float:
        """What a hypothesis must score at least."""
        most = max(staying.max(), scores.max(initial=NEVER))
        return float(most) - self._config.beam_threshold

    def _spoken(
        self, beam: Hypotheses, parents: Integers, nodes: Any, scores: Floats, frame: int
    ) -> Hypotheses:
        """Hypotheses that each add a phoneme to one of the beam's; their AHEAD is not set."""
        whole = beam.whole.take(parents, axis=1)
        between = whole[NODE] >= self._tree.roots
        between &= whole[NODE] < self._tree.outside
        whole[BEGAN, between] = frame
        whole[NODE] = nodes
        whole[KEY] = (whole[CONTEXT] << _NODE_BITS) | nodes
        nats = np.empty((3, len(parents)))
        nats[BLANK] = NEVER
        nats[SPOKEN] = scores
        return Hypotheses(whole, nats)

    def _ended(self, state: SearchState, spoken: Hypotheses, limit: float) -> Hypotheses | None:
        """Hypotheses whose words end with the phoneme that they just added."""
        tree = self._tree
        node = spoken.whole[NODE]
        number = self._number.take(node)
        parents = number.nonzero()[0]
        if not len(parents):
            return None
        base = spoken.nats[SPOKEN] - spoken.nats[AHEAD]
        ends = tree.ends.take(node.take(parents))
        number = number.take(parents)
        if number.max() > 1:
            offset = np.arange(int(number.sum())) - np.repeat(number.cumsum() - number, number)
            parents = parents.repeat(number)
            ends = ends.repeat(number) + offset
        scores = base.take(parents)
        able = (scores + self._most.take(ends) > limit).nonzero()[0]
        if not len(able):
            return None
        ends = ends.take(able)
        parents = parents.take(able)
        scores = scores.take(able) - tree.penalty.take(ends)
        return self._complete(state, spoken, parents, ends, scores, limit)

    def _complete(
        self,
        state: SearchState,
        spoken: Hypotheses,
        parents: Integers,
        ends: Integers,
        scores: Floats,
        limit: float,
    ) -> Hypotheses | None:
        """Hypotheses that end words, each a pronunciation of `ends`, at their last phonemes."""
        words = self._tree.word.take(ends)
        gains, context = self._words.score(spoken.whole[CONTEXT].take(parents), words)
        gains += scores
        kept = (gains > limit).nonzero()[0]
        if not len(kept):
            return None
        ends = ends.take(kept)
        whole = spoken.whole.take(parents.take(kept), axis=1)
        whole[CONTEXT] = context.take(kept)
        whole[TEXT] = hash_texts(whole[TEXT], words.take(kept))
        whole[NODE] = self._label.take(whole[NODE]).astype(np.int64) + self._tree.roots
        whole[KEY] = (whole[CONTEXT] << _NODE_BITS) | whole[NODE]
        whole[TRACE] = state.trace.add(whole[TRACE], ends, whole[BEGAN])
        nats = np.zeros((3, len(kept)))
        nats[BLANK] = NEVER
        nats[SPOKEN] = gains.take(kept)
        return Hypotheses(whole, nats)

    def _unknown(
        self, state: SearchState, base: Floats, labels: Integers, limit: float, frame: int
    ) -> list[Hypotheses]:
        """Hypotheses that begin an unknown word or go on in one, and those that end it."""
        beam, tree = state.beam, self._tree
        most = base.max(axis=1)
        node = beam.whole[NODE]
        cost = self._config.unknown_letter_penalty
        given = np.where(node >= tree.outside, beam.nats[AHEAD], self._begin_unknown) - cost
        rows = ((node >= tree.roots) & (most + given > limit)).nonzero()[0]
        if not len(rows):
            return []
        ahead = given.take(rows)
        scores = base.take(rows, axis=0) + ahead[:, None]
        chosen = (scores > limit).ravel().nonzero()[0]
        parents, columns = np.divmod(chosen, len(labels))
        label = labels.take(columns)
        spoken = self._spoken(
            beam, rows.take(parents), tree.outside + label, scores.take(chosen), frame
        )
        spoken.nats[AHEAD] = ahead.take(parents)
        # Their phonemes tell them apart as long as the word lasts.
        spoken.whole[TEXT] = hash_texts(spoken.whole[TEXT], NO_WORD - 1 - label)
        ended = self._complete(
            state,
            spoken,
            np.arange(len(chosen)),
            np.full(len(chosen), tree.unknown),
            spoken.nats[SPOKEN] - self._words.expected_unknown,
            limit,
        )
        return [spoken] if ended is None else [spoken, ended]


def _settle_silence(state: SearchState) -> None:
    """Count the frames since the last label: all paths are in the blank after them."""
    if not state.silent:
        return
    nats = state.beam.nats.copy()
    nats[BLANK] = state.beam.total() + state.silence
    nats[SPOKEN] = NEVER
    state.beam = Hypotheses(state.beam.whole, nats)
    state.silence, state.silent = 0.0, False
