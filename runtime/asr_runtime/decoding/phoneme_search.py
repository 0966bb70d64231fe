"""CTC beam search over words by their sounds, with whole-array operations over the hypotheses.

As `beam_search`, but down a tree of pronunciations. There is no label between words: a hypothesis
that comes to a phoneme with which words end goes on in the tree, and is also ended, once for each
of these words. To count no path twice, only what comes to the phoneme in this frame is ended in it.
Frames in which nothing but the blank is likely are skipped (Z. Chen, Y. Zhuang, Y. Qian, K. Yu,
"Phone synchronous speech recognition with CTC lattices", IEEE/ACM Transactions on Audio, Speech,
and Language Processing 25(1), 2017), and in one that is much like the frame before no label begins.
"""

from dataclasses import dataclass, field
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
# So much more words are expected to score after others than by themselves; few score more.
_SURPRISE = 2.5


@dataclass(kw_only=True)
class PhonemeSearchState(SearchState):
    """How far the search of one utterance has come.

    words: what words score.
    silence: nats of the blanks since a label was last likely, which all hypotheses have yet to get.
    silent: whether there are any.
    last_row: log-probabilities of the last frame [1, phonemes + 1].
    stepped: whether labels could be added in that.
    """

    words: WordCache
    silence: float = 0.0
    silent: bool = False
    last_row: Floats = field(default_factory=lambda: np.full((1, phonemes.BLANK + 1), _IMPROBABLE))
    stepped: bool = False


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
        # What a phoneme of an unknown word scores after each phoneme, or as the first.
        self._unknown = tree.follows[:, : phonemes.BLANK] - config.unknown_letter_penalty
        self._unknown += words.expected_unknown
        self._unknown[phonemes.BLANK] -= config.unknown_word_penalty
        # Unknown words are many and seldom said: they have a beam between the two others.
        self._near = (config.beam_threshold + config.word_end_threshold) / 2
        self._begin_unknown = float(self._unknown[phonemes.BLANK].max())

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
        if not len(log_probs):
            return
        scores = np.maximum(log_probs.astype(np.float64), _IMPROBABLE)
        likely = self._likely(scores)
        rows = np.exp(np.concatenate((state.last_row, scores)))
        state.last_row = scores[-1:].copy()
        overlap = np.minimum(rows[1:], rows[:-1]).sum(axis=1)
        steady = (overlap > self._config.steady_threshold).tolist()
        scores[:, phonemes.BLANK] -= self._config.blank_penalty
        quiet = ~np.logical_or.reduce(likely, axis=1)
        blank = scores[:, phonemes.BLANK].tolist()
        for frame, silent in enumerate(quiet.tolist()):
            if silent:
                state.silence += blank[frame]
                state.silent, state.stepped = True, False
            elif state.stepped and steady[frame]:
                state.beam = Hypotheses(state.beam.whole, self._staying(state.beam, scores[frame]))
                state.stepped = False
            else:
                _settle_silence(state)
                labels = likely[frame].nonzero()[0]
                self._step(state, scores[frame], labels, state.frames + frame)
                state.stepped = True
                if state.trace.crowded:
                    prefixes = state.beam.whole[TRACE]
                    prefixes[:] = state.trace.keep(prefixes)
        state.frames += len(scores)

    def best(self, state: PhonemeSearchState) -> Found:
        """The words that are ahead so far, without one that is being spoken."""
        index = self.leader(state)
        found, began = state.trace.follow(int(state.beam.whole[TRACE, index]))
        return Found(found, began, float(state.beam.total()[index]) + state.silence)

    def leader(self, state: PhonemeSearchState) -> int:
        """Which hypothesis is ahead; in silence one between words, if there is any."""
        total = state.beam.total()
        if state.silent:
            between = self._between(state.beam)
            total = np.where(between, total, NEVER) if between.any() else total
        return int(total.argmax())

    def finish(self, state: PhonemeSearchState) -> Found:
        """The best text of an utterance that ends here. The state stays as it is."""
        beam = state.beam
        total = beam.total()
        complete = self._between(beam)
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
        between = self._between(state.beam)
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
        node, (blank, spoken, given) = beam.whole[NODE], beam.nats
        last = tree.label.take(node)
        total = np.logaddexp(blank, spoken)
        nats = self._staying(beam, row, total, last)
        staying = np.maximum(nats[BLANK], nats[SPOKEN])

        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        again = last[:, None] == labels
        base = np.where(again, (blank - given)[:, None], (total - given)[:, None])
        base += row.take(labels)
        nodes = tree.children.after(node, labels)
        scores = np.add(base, tree.best.take(nodes), dtype=np.float64).ravel()
        best = max(float(staying.max()), float(scores.max()))
        limit = best - self._config.beam_threshold
        if len(staying) + len(scores) > self._config.beam_size:
            limit = self._narrowed(limit, staying, scores)

        kept = (staying > limit).nonzero()[0]
        options = [Hypotheses(beam.whole.take(kept, axis=1), nats.take(kept, axis=1))]
        chosen = (scores > limit).nonzero()[0]
        if len(chosen):
            parents = chosen // len(labels) if len(labels) > 1 else chosen
            added = self._spoken(beam, parents, nodes.take(chosen), scores.take(chosen), frame)
            options.append(added)
            options += self._ended(state, added, best, limit, frame)
        # Where unknown words are dear, most frames need not look at them.
        near = max(limit, best - self._near)
        dear = float(total.max()) + float(row.take(labels).max()) + self._begin_unknown <= near
        if not dear or int(node.max()) >= tree.outside:
            options += self._unknown_words(state, base, labels, best, limit, frame)
        state.beam = merge(Hypotheses.joined(options), self._config.beam_size)

    def _between(self, hypotheses: Hypotheses) -> npt.NDArray[np.bool_]:
        """Which are between words [hypotheses]."""
        node = hypotheses.whole[NODE]
        between: npt.NDArray[np.bool_] = (node >= self._tree.roots) & (node < self._tree.outside)
        return between

    def _staying(
        self,
        beam: Hypotheses,
        row: Floats,
        total: Floats | None = None,
        last: npt.NDArray[np.uint8] | None = None,
    ) -> Floats:
        """The nats of hypotheses that add nothing in a frame; the last two if they are known."""
        if total is None or last is None:
            total, last = beam.total(), self._tree.label.take(beam.whole[NODE])
        nats = np.empty_like(beam.nats)
        np.add(total, row[phonemes.BLANK], out=nats[BLANK])
        np.add(beam.nats[SPOKEN], row.take(last), out=nats[SPOKEN])
        nats[AHEAD] = beam.nats[AHEAD]
        return nats

    def _narrowed(self, limit: float, staying: Floats, scores: Floats) -> float:
        """The limit, or a higher one that no more hypotheses reach than are kept."""
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
        """Hypotheses that each add a phoneme to one of the beam's."""
        tree = self._tree
        whole = beam.whole.take(parents, axis=1)
        nats = np.empty((3, len(parents)))
        nats[BLANK] = NEVER
        nats[SPOKEN] = scores
        nats[AHEAD] = tree.best.take(nodes)
        added = Hypotheses(whole, nats)
        np.copyto(whole[BEGAN], frame, where=self._between(added))
        whole[NODE] = nodes
        np.left_shift(whole[CONTEXT], _NODE_BITS, out=whole[KEY])
        whole[KEY] |= nodes
        return added

    def _unknown_words(
        self,
        state: PhonemeSearchState,
        base: Floats,
        labels: Integers,
        best: float,
        limit: float,
        frame: int,
    ) -> list[Hypotheses]:
        """Hypotheses that begin an unknown word, go on in one, or end it."""
        tree, node = self._tree, state.beam.whole[NODE]
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
        added = self._spoken(state.beam, rows.take(places), nodes, scores.take(chosen), frame)
        # Its phonemes tell an unknown word from others.
        added.whole[TEXT] = hash_texts(added.whole[TEXT], np.invert(nodes))
        return [added, *self._ended(state, added, best, limit, frame)]

    def _ended(
        self,
        state: PhonemeSearchState,
        spoken: Hypotheses,
        best: float,
        limit: float,
        frame: int,
    ) -> list[Hypotheses]:
        """Hypotheses whose words end with the phoneme that they just added, if there are any.

        best: of all hypotheses before words ended; limit: what one must score at least.
        """
        tree = self._tree
        limit = max(limit, best - self._config.word_end_threshold)
        # No word scores much more than was given in advance.
        able = (spoken.nats[SPOKEN] > limit - _SURPRISE).nonzero()[0]
        node = spoken.whole[NODE].take(able)
        ends = tree.ends.take(node)
        number = tree.ends.take(node + 1) - ends
        ending = number.nonzero()[0]
        if not len(ending):
            return []
        parents, ends, number = able.take(ending), ends.take(ending), number.take(ending)
        if int(number.max()) > 1:
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
        ends = ends.take(kept)
        whole = spoken.whole.take(parents.take(kept), axis=1)
        whole[CONTEXT] = context.take(kept)
        whole[TEXT] = hash_texts(whole[TEXT], words.take(kept))
        whole[NODE] = tree.label.take(whole[NODE])
        whole[NODE] += tree.roots
        np.left_shift(whole[CONTEXT], _NODE_BITS, out=whole[KEY])
        whole[KEY] |= whole[NODE]
        whole[TRACE] = state.trace.add(whole[TRACE], ends, whole[BEGAN])
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
