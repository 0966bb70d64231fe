"""CTC prefix beam search over words, with whole-array operations over the hypotheses.

A. Hannun, A. Maas, D. Jurafsky, A. Ng, "First-pass large vocabulary continuous speech recognition
using bi-directional recurrent DNNs" (2014), for the two probabilities of a prefix, with and without
a blank at its end; scores of words, their look-ahead and the merging of prefixes that no later word
can tell apart are as in decoders with a lexicon tree (H. Ney, S. Ortmanns, "Dynamic programming
search for continuous speech recognition", IEEE Signal Processing Magazine 16(5), 1999).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hypotheses import (
    AHEAD,
    BLANK,
    CONTEXT,
    KEY,
    LABEL,
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
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language.lexicon import NO_WORD, ROOT, Lexicon

_IMPROBABLE = -1e4
_FINALISTS = 16
_NODE_BITS = 24
_OUTSIDE = np.int64(-(1 << 63))


class BeamSearch:
    """The search with one lexicon, language model and vocabulary.

    priors: taken from the classes' scores, as `letter_priors` gives them [classes].
    blank, space: classes. Every other class is a letter.

    shared: hypotheses can part at a boundary which all of them have.
    """

    shared = 1

    def __init__(
        self,
        lexicon: Lexicon,
        words: WordScorer,
        priors: Floats,
        blank: int,
        space: int,
        config: BeamConfig,
    ) -> None:
        if len(lexicon.word) > 1 << _NODE_BITS:
            raise ValueError("the lexicon is too large")
        self._lexicon = lexicon
        self._words = words
        self._adjustment = -config.letter_prior_weight * priors
        self._adjustment[blank] = -config.blank_penalty
        self._blank = blank
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

    def run(self, log_probs: npt.NDArray[np.floating[Any]]) -> Found:
        """Search one utterance [frames, classes] of natural-log probabilities."""
        state = self.begin()
        self.advance(state, log_probs)
        return self.finish(state)

    def begin(self) -> SearchState:
        """The state before an utterance."""
        return SearchState(self._start())

    def quiet(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Frames in which no label is considered [frames], of log-probabilities as for `run`."""
        quiet: npt.NDArray[np.bool_] = ~np.logical_or.reduce(self._likely(log_probs), axis=1)
        return quiet

    def advance(self, state: SearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames [frames, classes] of an utterance, any number of them.

        The state afterwards does not depend on how the frames were divided. A frame takes the same
        time however many there were before it.
        """
        # Impossible is very improbable here, so that there is always a best text.
        scores = np.maximum(log_probs.astype(np.float64), _IMPROBABLE)
        likely = self._likely(scores)
        scores += self._adjustment
        quiet = ~np.logical_or.reduce(likely, axis=1)
        boundary = likely[:, self._space].copy()
        likely[:, self._space] = False
        blank = scores[:, self._blank]
        # By whether a word has begun [frames, 2].
        silence = np.stack([np.logaddexp(blank, scores[:, self._space]), blank], axis=1)

        beam, trace = state.beam, state.trace
        for frame, row in enumerate(scores):
            total = beam.total()
            nats = np.empty_like(beam.nats)
            inside = (beam.whole[NODE] != ROOT).view(np.int8)
            np.add(total, silence[frame].take(inside), out=nats[BLANK])
            np.add(beam.nats[SPOKEN], row.take(beam.whole[LABEL]), out=nats[SPOKEN])
            nats[AHEAD] = beam.nats[AHEAD]
            stay = Hypotheses(beam.whole, nats)
            if quiet[frame]:
                beam = stay
                continue
            labels = likely[frame].nonzero()[0]
            beam = self._step(beam, stay, total, row, labels, bool(boundary[frame]))
            prefixes = beam.whole[TRACE]
            new = (prefixes < 0).nonzero()[0]
            parents = ~prefixes[new]
            prefixes[new] = trace.add(parents, beam.whole[LABEL].take(new), state.frames + frame)
            if trace.crowded:
                prefixes[:] = trace.keep(prefixes)
        state.beam = beam
        state.frames += len(scores)

    def best(self, state: SearchState) -> Found:
        """The text that is ahead so far, the beginning of a word perhaps at its end."""
        index = self.leader(state)
        labels, entered = state.trace.follow(int(state.beam.whole[TRACE, index]))
        return Found(labels, entered, float(state.beam.total()[index]))

    def leader(self, state: SearchState) -> int:
        """Which hypothesis is ahead."""
        return int(state.beam.total().argmax())

    def finish(self, state: SearchState) -> Found:
        """The best text of an utterance that ends here. The state stays as it is."""
        beam = state.beam
        total = beam.total()
        context = beam.whole[CONTEXT].copy()
        inside = np.flatnonzero(beam.whole[NODE] != ROOT)
        if len(inside):
            gains, context[inside] = self._end_words(beam, inside)
            total[inside] += gains - beam.nats[AHEAD, inside]
        total += self._words.finish(context)
        # The same text may stand with and without a boundary after it.
        scores: dict[tuple[int, ...], float] = {}
        entered: dict[tuple[int, ...], Integers] = {}
        finalists = total.argsort()[::-1][:_FINALISTS]
        spelled, frames = state.trace.paths(beam.whole[TRACE, finalists])
        lengths = np.count_nonzero(spelled != NO_LABEL, axis=1)
        for row, end in enumerate(lengths.tolist()):
            if end and spelled[row, end - 1] == self._space:
                end -= 1
            text = tuple(spelled[row, :end].tolist())
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), total[finalists[row]]))
            entered.setdefault(text, frames[row, :end])
        best = max(scores, key=scores.__getitem__)
        return Found(np.array(best, np.int64), entered[best], scores[best])

    def spelled(self, state: SearchState) -> Spelled:
        """What all hypotheses have spelled."""
        labels, entered = state.spelled()
        return Spelled(labels, entered, entered)

    def boundaries(self, labels: Integers) -> Integers:
        """Places of the boundaries after words in what a hypothesis spelled [labels]."""
        return np.flatnonzero(labels[1:] == self._space) + 1

    def _likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, self._blank] = False
        return likely

    def _start(self) -> Hypotheses:
        whole = np.zeros((6, 1), np.int64)
        whole[CONTEXT] = self._words.start
        whole[KEY] = whole[CONTEXT] << _NODE_BITS
        whole[NODE] = ROOT
        whole[LABEL] = self._space
        nats = np.zeros((3, 1))
        nats[SPOKEN] = NEVER
        return Hypotheses(whole, nats)

    def _step(
        self,
        beam: Hypotheses,
        stay: Hypotheses,
        total: Floats,
        row: Floats,
        labels: Integers,
        boundary: bool,
    ) -> Hypotheses:
        """The hypotheses after a frame, of those before it and those that add nothing in it."""
        stay_total = stay.total()
        node, given = beam.whole[NODE], beam.nats[AHEAD]
        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        again = beam.whole[LABEL][:, None] == labels
        scores = np.where(again, beam.nats[BLANK][:, None], total[:, None])
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

        limit = max(stay_total.max(), scores.max(initial=NEVER)) - self._config.beam_threshold
        options = [stay.take((stay_total > limit).nonzero()[0])]
        chosen = (scores > limit).ravel().nonzero()[0]
        if len(chosen):
            options.append(self._spelled(beam, chosen, labels, nodes, scores, ahead))
        if boundary:
            options.append(self._ended(beam, total + row[self._space], limit))
        return merge(Hypotheses.joined(options), self._config.beam_size)

    def _spelled(
        self,
        beam: Hypotheses,
        chosen: Integers,
        labels: Integers,
        nodes: npt.NDArray[np.int32],
        scores: Floats,
        ahead: Floats,
    ) -> Hypotheses:
        """Hypotheses that each add a letter to one of the beam's.

        chosen: which of the others' places, counted through them [hypotheses, labels].
        """
        parents, columns = np.divmod(chosen, len(labels))
        whole = beam.whole.take(parents, axis=1)
        label, node = labels.take(columns), nodes.take(chosen)
        key = whole[CONTEXT] << _NODE_BITS
        key |= node
        outside = (node == self._lexicon.outside).nonzero()[0]
        if len(outside):
            # There the letters are told apart by a hash, which no key of a node can equal.
            key[outside] = hash_texts(whole[KEY, outside], label[outside]) | _OUTSIDE
        whole[KEY] = key
        whole[TEXT] = hash_texts(whole[TEXT], label)
        whole[NODE] = node
        whole[LABEL] = label
        whole[TRACE] = ~whole[TRACE]
        nats = np.empty((3, len(chosen)))
        nats[BLANK] = NEVER
        nats[SPOKEN] = scores.take(chosen)
        nats[AHEAD] = ahead.take(chosen)
        return Hypotheses(whole, nats)

    def _ended(self, beam: Hypotheses, scores: Floats, limit: float) -> Hypotheses:
        """Hypotheses that end their words."""
        scores = scores - beam.nats[AHEAD]
        node = beam.whole[NODE]
        parents = ((node != ROOT) & (scores > limit - self._most.take(node))).nonzero()[0]
        gains, context = self._end_words(beam, parents)
        gains += scores.take(parents)
        kept = (gains > limit).nonzero()[0]
        whole = beam.whole.take(parents.take(kept), axis=1)
        whole[CONTEXT] = context.take(kept)
        whole[KEY] = whole[CONTEXT] << _NODE_BITS
        whole[TEXT] = hash_texts(whole[TEXT], self._space)
        whole[NODE] = ROOT
        whole[LABEL] = self._space
        whole[TRACE] = ~whole[TRACE]
        nats = np.zeros((3, len(kept)))
        nats[BLANK] = gains.take(kept)
        nats[SPOKEN] = NEVER
        return Hypotheses(whole, nats)

    def _end_words(self, beam: Hypotheses, index: Integers) -> tuple[Floats, Integers]:
        """Nats of the begun words of some hypotheses, and the contexts after them."""
        nodes = beam.whole[NODE].take(index)
        words = self._lexicon.word.take(nodes)
        gains, context = self._words.score(beam.whole[CONTEXT].take(index), words)
        unknown = (words == NO_WORD).nonzero()[0]
        if len(unknown):
            # The letters to the node, or what those outside of the lexicon have cost so far.
            nodes = nodes[unknown]
            cost = np.where(
                nodes == self._lexicon.outside,
                beam.nats[AHEAD].take(index[unknown]),
                self._unknown[self._lexicon.depth[nodes]],
            )
            gains[unknown] += cost
        return gains, context
