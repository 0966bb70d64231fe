"""CTC beam search over words by their sounds, with whole-array operations over the hypotheses.

As `beam_search`, but down a tree of pronunciations. There is no label between words: a hypothesis
that comes to a phoneme with which words end goes on in the tree, and is also ended, once for each
of these words. To count no path twice, only what comes to the phoneme in this frame is ended in it.
Frames in which nothing but the blank is likely are skipped, which are most (Z. Chen, Y. Zhuang,
Y. Qian, K. Yu, "Phone synchronous speech recognition with CTC lattices", IEEE/ACM Transactions on
Audio, Speech, and Language Processing 25(1), 2017).
"""

from dataclasses import dataclass
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
from asr_runtime.decoding.search_state import Found, SearchState, Spelled
from asr_runtime.decoding.trace import NO_LABEL
from asr_runtime.decoding.word_cache import WordCache
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language import phonemes
from asr_runtime.language.pronunciation_tree import PronunciationTree

_IMPROBABLE = -1e4
_FINALISTS = 16
_OPEN = -2
_NODE_BITS = 24
# A word may score so much more after others than by itself.
_SURPRISE = 5.0


@dataclass(kw_only=True)
class PhonemeSearchState(SearchState):
    """How far the search of one utterance has come.

    words: what words score.
    silence: nats of the blanks since a label was last likely, which all hypotheses have yet to get.
    silent: whether there are any.
    """

    words: WordCache
    silence: float = 0.0
    silent: bool = False


class PhonemeSearch:
    """The search with one tree of pronunciations and language model.

    shared: hypotheses can part after a word which all of them have.
    """

    shared = 0

    def __init__(self, tree: PronunciationTree, words: WordScorer, config: BeamConfig) -> None:
        if tree.nowhere >= 1 << _NODE_BITS:
            raise ValueError("the tree is too large")
        self._tree = tree
        self._words = words
        self._config = config
        # What each pronunciation scores at most, without its penalty.
        self._most = words.expected.take(tree.word) + np.float32(_SURPRISE)
        self._most[tree.unknown :] = words.expected_unknown + _SURPRISE
        # What a phoneme of an unknown word scores, by whether it is the first.
        ahead = words.expected_unknown - config.unknown_letter_penalty
        self._unknown = np.array([ahead - config.unknown_word_penalty, ahead])

    def run(self, log_probs: npt.NDArray[np.floating[Any]]) -> Found:
        """Search one utterance [frames, phonemes + 1] of natural-log probabilities."""
        state = self.begin()
        self.advance(state, log_probs)
        return self.finish(state)

    def begin(self) -> PhonemeSearchState:
        """The state before an utterance."""
        whole = np.zeros((6, 1), np.int64)
        whole[CONTEXT] = self._words.start
        whole[NODE] = self._tree.roots + phonemes.BLANK
        whole[KEY] = (whole[CONTEXT] << _NODE_BITS) | whole[NODE]
        nats = np.zeros((3, 1))
        nats[SPOKEN] = NEVER
        return PhonemeSearchState(Hypotheses(whole, nats), words=WordCache(self._words))

    def quiet(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Frames in which no label is considered [frames], of log-probabilities as for `run`."""
        quiet: npt.NDArray[np.bool_] = ~np.logical_or.reduce(self._likely(log_probs), axis=1)
        return quiet

    def advance(self, state: PhonemeSearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
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

    def best(self, state: PhonemeSearchState) -> Found:
        """The words that are ahead so far, without one that is being spoken."""
        total = state.beam.total()
        index = int(total.argmax())
        found, began = state.trace.follow(int(state.beam.whole[TRACE, index]))
        return Found(found, began, float(total[index]) + state.silence)

    def finish(self, state: PhonemeSearchState) -> Found:
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

    def spelled(self, state: PhonemeSearchState) -> Spelled:
        """The words of all hypotheses, and of each, after its last, that something may follow."""
        words, began = state.spelled()
        number = np.count_nonzero(words != NO_LABEL, axis=1)[:, None]
        labels, entered = (np.pad(part, ((0, 0), (0, 1))) for part in (words, began))
        np.put_along_axis(labels, number, _OPEN, axis=1)
        labels[:, -1:][number <= words.shape[1] - 1] = NO_LABEL
        open_since = state.beam.whole[BEGAN]
        node = state.beam.whole[NODE]
        between = (node >= self._tree.roots) & (node < self._tree.outside)
        since = entered.copy()
        np.put_along_axis(since, number, open_since[:, None], axis=1)
        # The next word of a hypothesis between words begins later than all frames so far.
        begins = np.where(between, state.frames, open_since)
        np.put_along_axis(entered, number, begins[:, None], axis=1)
        return Spelled(labels, entered, since)

    def boundaries(self, labels: Integers) -> Integers:
        """Places after words in what a hypothesis spelled [labels]."""
        return np.arange(1, np.count_nonzero(labels >= 0) + 1)

    def _likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, phonemes.BLANK] = False
        return likely

    def _step(self, state: PhonemeSearchState, row: Floats, labels: Integers, frame: int) -> None:
        """The hypotheses after a frame in which some labels are likely."""
        beam, tree = state.beam, self._tree
        node = beam.whole[NODE]
        last = tree.label.take(node)
        total = beam.total()
        nats = np.empty_like(beam.nats)
        np.add(total, row[phonemes.BLANK], out=nats[BLANK])
        np.add(beam.nats[SPOKEN], row.take(last), out=nats[SPOKEN])
        nats[AHEAD] = beam.nats[AHEAD]
        staying = np.maximum(nats[BLANK], nats[SPOKEN])

        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        base = np.where(last[:, None] == labels, beam.nats[BLANK][:, None], total[:, None])
        base -= beam.nats[AHEAD][:, None]
        base += row.take(labels)
        nodes = tree.children.after(node, labels)
        scores = np.add(base, tree.best.take(nodes), dtype=np.float64).ravel()
        # Also into an unknown word, or on in one.
        rows = (node >= tree.roots).nonzero()[0]
        unknown = base.take(rows, axis=0)
        unknown += self._unknown.take(node.take(rows) >= tree.outside)[:, None]
        unknown = unknown.ravel()

        limit = self._limit(np.concatenate((staying, scores, unknown)))
        kept = (staying > limit).nonzero()[0]
        options = [Hypotheses(beam.whole.take(kept, axis=1), nats.take(kept, axis=1))]
        chosen = (scores > limit).nonzero()[0]
        parents, reached = chosen // len(labels), nodes.take(chosen)
        scores = scores.take(chosen)
        outside = (unknown > limit).nonzero()[0]
        if len(outside):
            places, columns = np.divmod(outside, len(labels))
            parents = np.concatenate((parents, rows.take(places)))
            outside_nodes = tree.outside + labels.take(columns)
            reached = np.concatenate((reached, outside_nodes.astype(np.int32)))
            scores = np.concatenate((scores, unknown.take(outside)))
        if len(parents):
            spoken = self._spoken(beam, parents, reached, scores, frame)
            if len(outside):
                # The phonemes of an unknown word tell it from others.
                text = spoken.whole[TEXT, len(chosen) :]
                text[:] = hash_texts(text, np.invert(outside_nodes))
            options.append(spoken)
            options += self._ended(state, spoken, limit, frame)
        state.beam = merge(Hypotheses.joined(options), self._config.beam_size)

    def _limit(self, scores: Floats) -> float:
        """What a hypothesis must score: near the best, and among so many of them."""
        limit = float(scores.max()) - self._config.beam_threshold
        size = self._config.beam_size
        if len(scores) > size:
            scores = scores[scores > limit]
            if len(scores) > size:
                limit = float(np.partition(scores, -size)[-size])
        return limit

    def _spoken(
        self,
        beam: Hypotheses,
        parents: Integers,
        nodes: npt.NDArray[np.int32],
        scores: Floats,
        frame: int,
    ) -> Hypotheses:
        """Hypotheses that each add a phoneme to one of the beam's."""
        whole = beam.whole.take(parents, axis=1)
        between = whole[NODE] >= self._tree.roots
        between &= whole[NODE] < self._tree.outside
        whole[BEGAN, between] = frame
        whole[NODE] = nodes
        whole[KEY] = (whole[CONTEXT] << _NODE_BITS) | nodes
        nats = np.empty((3, len(parents)))
        nats[BLANK] = NEVER
        nats[SPOKEN] = scores
        nats[AHEAD] = self._tree.best.take(nodes)
        return Hypotheses(whole, nats)

    def _ended(
        self, state: PhonemeSearchState, spoken: Hypotheses, limit: float, frame: int
    ) -> list[Hypotheses]:
        """Hypotheses whose words end with the phoneme that they just added, if there are any."""
        tree = self._tree
        node = spoken.whole[NODE]
        ends = tree.ends.take(node)
        number = tree.ends.take(node + 1) - ends
        parents = number.nonzero()[0]
        if not len(parents):
            return []
        ends, number = ends.take(parents), number.take(parents)
        if number.max() > 1:
            place = np.arange(int(number.sum())) - (number.cumsum() - number).repeat(number)
            parents, ends = parents.repeat(number), ends.repeat(number) + place
        scores = (spoken.nats[SPOKEN] - spoken.nats[AHEAD]).take(parents)
        scores -= tree.penalty.take(ends)
        able = (scores + self._most.take(ends) > limit).nonzero()[0]
        if not len(able):
            return []
        ends, parents = ends.take(able), parents.take(able)
        words = tree.word.take(ends)
        gains, context = state.words.score(spoken.whole[CONTEXT].take(parents), words)
        gains += scores.take(able)
        kept = (gains > limit).nonzero()[0]
        if not len(kept):
            return []
        whole = spoken.whole.take(parents.take(kept), axis=1)
        whole[CONTEXT] = context.take(kept)
        whole[TEXT] = hash_texts(whole[TEXT], words.take(kept))
        whole[NODE] = tree.label.take(whole[NODE])
        whole[NODE] += tree.roots
        whole[KEY] = (whole[CONTEXT] << _NODE_BITS) | whole[NODE]
        whole[TRACE] = state.trace.add(whole[TRACE], ends.take(kept), whole[BEGAN])
        # From now on, when the last word ended.
        whole[BEGAN] = frame
        nats = np.zeros((3, len(kept)))
        nats[BLANK] = NEVER
        nats[SPOKEN] = gains.take(kept)
        return [Hypotheses(whole, nats)]


def _settle_silence(state: PhonemeSearchState) -> None:
    """Count the frames since the last label: all paths are in the blank after them."""
    if not state.silent:
        return
    nats = state.beam.nats.copy()
    nats[BLANK] = state.beam.total() + state.silence
    nats[SPOKEN] = NEVER
    state.beam = Hypotheses(state.beam.whole, nats)
    state.silence, state.silent = 0.0, False
