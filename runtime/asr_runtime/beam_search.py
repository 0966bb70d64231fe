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

from asr_runtime.beam_config import BeamConfig
from asr_runtime.hypotheses import NEVER, Floats, Hypotheses, Integers
from asr_runtime.lexicon import NO_WORD, ROOT, Lexicon
from asr_runtime.search_state import Found, SearchState
from asr_runtime.word_scores import WordScorer

_IMPROBABLE = -1e4
_FINALISTS = 16
_NODE_BITS = 24
_OUTSIDE = np.int64(-(1 << 63))
_HASH_FACTOR = np.int64(6364136223846793005)
_HASH_TERM = np.int64(1442695040888963407)


def _hash(texts: Integers, labels: Integers | int) -> Integers:
    hashed: Integers = texts * _HASH_FACTOR + labels + _HASH_TERM
    return hashed


class BeamSearch:
    """The search with one lexicon, language model and vocabulary.

    priors: taken from the classes' scores, as `letter_priors` gives them [classes].
    blank, space: classes. Every other class is a letter.
    """

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
        self._best = lexicon.best.astype(np.float64)
        # No word gains more than this at its end.
        self._most = max(0.0, float(words.expected.max(initial=0))) + 5.0
        # What the letters to each node score as a word outside the vocabulary.
        self._unknown = -(
            config.unknown_word_penalty + config.unknown_letter_penalty * lexicon.depth
        ).astype(np.float64)

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
            stay = beam._replace(
                blank=total + silence[frame][(beam.node != ROOT).view(np.int8)],
                spoken=beam.spoken + row[beam.label],
            )
            if quiet[frame]:
                beam = stay
                continue
            labels = np.flatnonzero(likely[frame])
            beam = self._step(beam, stay, total, row, labels, bool(boundary[frame]))
            new = np.flatnonzero(beam.trace < 0)
            beam.trace[new] = trace.add(~beam.trace[new], beam.label[new], state.frames + frame)
            if trace.crowded:
                beam = beam._replace(trace=trace.keep(beam.trace))
        state.beam = beam
        state.frames += len(scores)

    def best(self, state: SearchState) -> Found:
        """The text that is ahead so far, the beginning of a word perhaps at its end."""
        total = state.beam.total()
        index = int(total.argmax())
        labels, entered = state.trace.follow(int(state.beam.trace[index]))
        return Found(labels, entered, float(total[index]))

    def finish(self, state: SearchState) -> Found:
        """The best text of an utterance that ends here. The state stays as it is."""
        beam = state.beam
        total = beam.total()
        context = beam.context.copy()
        inside = np.flatnonzero(beam.node != ROOT)
        if len(inside):
            gains, context[inside] = self._end_words(beam, inside)
            total[inside] += gains - beam.ahead[inside]
        total += self._words.finish(context)
        # The same text may stand with and without a boundary after it.
        scores: dict[tuple[int, ...], float] = {}
        entered: dict[tuple[int, ...], Integers] = {}
        for index in total.argsort()[::-1][:_FINALISTS].tolist():
            labels, frames = state.trace.follow(int(beam.trace[index]))
            end = len(labels) - int(len(labels) > 0 and labels[-1] == self._space)
            text = tuple(labels[:end].tolist())
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), total[index]))
            entered.setdefault(text, frames[:end])
        best = max(scores, key=scores.__getitem__)
        return Found(np.array(best, np.int64), entered[best], scores[best])

    def _likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, self._blank] = False
        return likely

    def _start(self) -> Hypotheses:
        context = np.array([self._words.start], np.int64)
        return Hypotheses(
            key=context << _NODE_BITS,
            text=np.zeros(1, np.int64),
            context=context,
            node=np.array([ROOT], np.int32),
            label=np.array([self._space]),
            blank=np.zeros(1),
            spoken=np.full(1, NEVER),
            ahead=np.zeros(1),
            trace=np.zeros(1, np.int64),
        )

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
        config = self._config
        stay_total = stay.total()
        # Of each hypothesis and label: a repeated label is a new one after a blank only.
        again = beam.label[:, None] == labels
        scores = np.where(again, beam.blank[:, None], total[:, None]) + row[labels]
        nodes = self._lexicon.children.after(beam.node, labels)
        outside = np.where(beam.node == self._lexicon.outside, beam.ahead, self._unknown[beam.node])
        outside -= config.unknown_letter_penalty
        ahead = np.where(nodes == self._lexicon.outside, outside[:, None], self._best[nodes])
        scores += ahead
        scores -= beam.ahead[:, None]

        limit = max(stay_total.max(), scores.max(initial=NEVER)) - config.beam_threshold
        parents, columns = np.nonzero(scores > limit)
        options = [
            stay.take(np.flatnonzero(stay_total > limit)),
            self._spelled(
                beam,
                parents,
                labels[columns],
                nodes[parents, columns],
                scores[parents, columns],
                ahead[parents, columns],
            ),
        ]
        if boundary:
            options.append(self._ended(beam, total + row[self._space], limit))
        return self._merged(Hypotheses(*map(np.concatenate, zip(*options, strict=True))))

    def _spelled(
        self,
        beam: Hypotheses,
        parents: Integers,
        labels: Integers,
        nodes: npt.NDArray[np.int32],
        scores: Floats,
        ahead: Floats,
    ) -> Hypotheses:
        """Hypotheses that each add a letter to one of the beam's."""
        context = beam.context[parents]
        key = (context << _NODE_BITS) | nodes
        outside = np.flatnonzero(nodes == self._lexicon.outside)
        if len(outside):
            # There the letters are told apart by a hash, which no key of a node can equal.
            key[outside] = _hash(beam.key[parents[outside]], labels[outside]) | _OUTSIDE
        text = _hash(beam.text[parents], labels)
        never = np.full(len(parents), NEVER)
        trace = ~beam.trace[parents]
        return Hypotheses(key, text, context, nodes, labels, never, scores, ahead, trace)

    def _ended(self, beam: Hypotheses, scores: Floats, limit: float) -> Hypotheses:
        """Hypotheses that end their words."""
        scores = scores - beam.ahead
        parents = np.flatnonzero((beam.node != ROOT) & (scores > limit - self._most))
        gains, context = self._end_words(beam, parents)
        scores = scores[parents] + gains
        kept = np.flatnonzero(scores > limit)
        parents, scores, context = parents[kept], scores[kept], context[kept]
        number = len(kept)
        return Hypotheses(
            key=context << _NODE_BITS,
            text=_hash(beam.text[parents], self._space),
            context=context,
            node=np.full(number, ROOT, np.int32),
            label=np.full(number, self._space),
            blank=scores,
            spoken=np.full(number, NEVER),
            ahead=np.zeros(number),
            trace=~beam.trace[parents],
        )

    def _end_words(self, beam: Hypotheses, index: Integers) -> tuple[Floats, Integers]:
        """Nats of the begun words of some hypotheses, and the contexts after them."""
        nodes = beam.node[index]
        words = self._lexicon.word[nodes]
        gains, context = self._words.score(beam.context[index], words)
        unknown = np.where(nodes == self._lexicon.outside, beam.ahead[index], self._unknown[nodes])
        return gains + np.where(words == NO_WORD, unknown, 0.0), context

    def _merged(self, options: Hypotheses) -> Hypotheses:
        """The best hypotheses: of each key the best prefix, with all its paths."""
        scores = np.maximum(options.blank, options.spoken)
        size = self._config.beam_size
        if len(scores) > 3 * size:
            options = options.take(np.argpartition(scores, -3 * size)[-3 * size :])
            scores = np.maximum(options.blank, options.spoken)
        order = np.lexsort((-scores, options.key))
        keys = options.key[order]
        first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        blank, spoken = options.blank[order], options.spoken[order]
        if len(first) < len(order):
            # Of other prefixes with the same future, which cannot win any more, nothing is taken.
            text = options.text[order]
            group = np.repeat(first, np.diff(first, append=len(order)))
            other = text != text[group]
            blank[other] = spoken[other] = NEVER
            blank = np.logaddexp.reduceat(blank, first)
            spoken = np.logaddexp.reduceat(spoken, first)
        chosen = order[first]
        if len(chosen) > size:
            top = np.argpartition(np.maximum(blank, spoken), -size)[-size:]
            chosen, blank, spoken = chosen[top], blank[top], spoken[top]
        return options.take(chosen)._replace(blank=blank, spoken=spoken)
