"""CTC prefix beam search over words, with fields-array operations over the hypotheses.

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
from asr_runtime.decoding.search_state import (
    BLANK,
    CONTEXT,
    KEY,
    LABEL,
    LOG_ZERO,
    LOOKAHEAD,
    NO_LABEL,
    NODE,
    PREFIX,
    SPOKEN,
    TEXT,
    BestPath,
    Floats,
    Hypotheses,
    Integers,
    SearchState,
    Spelled,
    hash_texts,
    merge,
)
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language.lexicon import NO_WORD, ROOT, Lexicon

_IMPROBABLE = -1e4
_FINALISTS = 16
_NODE_BITS = 24
_OUTSIDE = np.int64(-(1 << 63))


class BeamSearch:
    """The search with one lexicon, language model and vocabulary.

    priors: taken from the classes' scores, as `label_priors` gives them [classes].
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

    def run(self, log_probs: npt.NDArray[np.floating[Any]]) -> BestPath:
        """Search one utterance [frames, classes] of natural-log probabilities."""
        state = self.begin()
        self.advance(state, log_probs)
        return self.finish(state)

    def begin(self) -> SearchState:
        """The state before an utterance."""
        return SearchState(self._start())

    def blank_frames(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Frames in which no label is considered [frames], of log-probabilities as for `run`."""
        blank_frames: npt.NDArray[np.bool_] = ~np.logical_or.reduce(self._likely(log_probs), axis=1)
        return blank_frames

    def advance(self, state: SearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames [frames, classes] of an utterance, any number of them.

        The state afterwards does not depend on how the frames were divided. A frame takes the same
        time however many there were before it.
        """
        # Impossible is very improbable here, so that there is always a best text.
        scores = np.maximum(log_probs.astype(np.float64), _IMPROBABLE)
        likely = self._likely(scores)
        scores += self._adjustment
        blank_frames = ~np.logical_or.reduce(likely, axis=1)
        boundary = likely[:, self._space].copy()
        likely[:, self._space] = False
        blank = scores[:, self._blank]
        # By whether a word has begun [frames, 2].
        silence = np.stack([np.logaddexp(blank, scores[:, self._space]), blank], axis=1)

        beam, traceback = state.beam, state.traceback
        for frame, row in enumerate(scores):
            total = beam.total()
            log_scores = np.empty_like(beam.scores)
            inside = (beam.fields[NODE] != ROOT).view(np.int8)
            np.add(total, silence[frame].take(inside), out=log_scores[BLANK])
            np.add(beam.scores[SPOKEN], row.take(beam.fields[LABEL]), out=log_scores[SPOKEN])
            log_scores[LOOKAHEAD] = beam.scores[LOOKAHEAD]
            stay = Hypotheses(beam.fields, log_scores)
            if blank_frames[frame]:
                beam = stay
                continue
            labels = likely[frame].nonzero()[0]
            beam = self._step(beam, stay, total, row, labels, bool(boundary[frame]))
            prefixes = beam.fields[PREFIX]
            new = (prefixes < 0).nonzero()[0]
            parents = ~prefixes[new]
            prefixes[new] = traceback.add(
                parents, beam.fields[LABEL].take(new), state.frames + frame
            )
            if traceback.needs_pruning:
                prefixes[:] = traceback.keep(prefixes)
        state.beam = beam
        state.frames += len(scores)

    def best(self, state: SearchState) -> BestPath:
        """The text that is ahead so far, the beginning of a word perhaps at its end."""
        index = self.leader(state)
        labels, start_frames = state.traceback.follow(int(state.beam.fields[PREFIX, index]))
        return BestPath(labels, start_frames, float(state.beam.total()[index]))

    def leader(self, state: SearchState) -> int:
        """Which hypothesis is ahead."""
        return int(state.beam.total().argmax())

    def finish(self, state: SearchState) -> BestPath:
        """The best text of an utterance that ends here. The state stays as it is."""
        beam = state.beam
        total = beam.total()
        context = beam.fields[CONTEXT].copy()
        inside = np.flatnonzero(beam.fields[NODE] != ROOT)
        if len(inside):
            gains, context[inside] = self._end_words(beam, inside)
            total[inside] += gains - beam.scores[LOOKAHEAD, inside]
        total += self._words.finish(context)
        # The same text may stand with and without a boundary after it.
        scores: dict[tuple[int, ...], float] = {}
        start_frames: dict[tuple[int, ...], Integers] = {}
        finalists = total.argsort()[::-1][:_FINALISTS]
        spelled, frames = state.traceback.paths(beam.fields[PREFIX, finalists])
        lengths = np.count_nonzero(spelled != NO_LABEL, axis=1)
        for row, end in enumerate(lengths.tolist()):
            if end and spelled[row, end - 1] == self._space:
                end -= 1
            text = tuple(spelled[row, :end].tolist())
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), total[finalists[row]]))
            start_frames.setdefault(text, frames[row, :end])
        best = max(scores, key=scores.__getitem__)
        return BestPath(np.array(best, np.int64), start_frames[best], scores[best])

    def spelled(self, state: SearchState) -> Spelled:
        """What all hypotheses have spelled."""
        labels, start_frames = state.spelled()
        return Spelled(labels, start_frames, start_frames)

    def boundaries(self, labels: Integers) -> Integers:
        """Places of the boundaries after words in what a hypothesis spelled [labels]."""
        return np.flatnonzero(labels[1:] == self._space) + 1

    def _likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, self._blank] = False
        return likely

    def _start(self) -> Hypotheses:
        fields = np.zeros((6, 1), np.int64)
        fields[CONTEXT] = self._words.start
        fields[KEY] = fields[CONTEXT] << _NODE_BITS
        fields[NODE] = ROOT
        fields[LABEL] = self._space
        log_scores = np.zeros((3, 1))
        log_scores[SPOKEN] = LOG_ZERO
        return Hypotheses(fields, log_scores)

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
        fields = beam.fields.take(parents, axis=1)
        label, node = labels.take(columns), nodes.take(chosen)
        key = fields[CONTEXT] << _NODE_BITS
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
        """Hypotheses that end their words."""
        scores = scores - beam.scores[LOOKAHEAD]
        node = beam.fields[NODE]
        parents = ((node != ROOT) & (scores > limit - self._most.take(node))).nonzero()[0]
        gains, context = self._end_words(beam, parents)
        gains += scores.take(parents)
        kept = (gains > limit).nonzero()[0]
        fields = beam.fields.take(parents.take(kept), axis=1)
        fields[CONTEXT] = context.take(kept)
        fields[KEY] = fields[CONTEXT] << _NODE_BITS
        fields[TEXT] = hash_texts(fields[TEXT], self._space)
        fields[NODE] = ROOT
        fields[LABEL] = self._space
        fields[PREFIX] = ~fields[PREFIX]
        log_scores = np.zeros((3, len(kept)))
        log_scores[BLANK] = gains.take(kept)
        log_scores[SPOKEN] = LOG_ZERO
        return Hypotheses(fields, log_scores)

    def _end_words(self, beam: Hypotheses, index: Integers) -> tuple[Floats, Integers]:
        """Nats of the begun words of some hypotheses, and the contexts after them."""
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
