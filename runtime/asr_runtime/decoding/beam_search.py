"""CTC prefix beam search over words, with whole-array operations over the hypotheses.

A. Hannun, A. Maas, D. Jurafsky, A. Ng, "First-pass large vocabulary continuous speech recognition
using bi-directional recurrent DNNs" (2014), for the two probabilities of a prefix, with and without
a blank at its end; scores of words, their look-ahead and the merging of prefixes that no later word
can tell apart are as in decoders with a lexicon tree (H. Ney, S. Ortmanns, "Dynamic programming
search for continuous speech recognition", IEEE Signal Processing Magazine 16(5), 1999).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.beam_steps import NODE_BITS, BeamSteps
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
)
from asr_runtime.decoding.recombinations import Recombinations
from asr_runtime.decoding.search_state import SearchState
from asr_runtime.decoding.traceback import NO_LABEL, BestPath, Spelled
from asr_runtime.decoding.word_graph import WordGraph
from asr_runtime.decoding.word_scores import WordScorer
from asr_runtime.language.lexicon import ROOT, Lexicon

_IMPROBABLE = -1e4
_FINALISTS = 16


def _score(ending: BestPath) -> float:
    return ending.score


class BeamSearch:
    """The search with one lexicon, language model and vocabulary.

    Attributes:
        shared: Labels from a boundary on that hypotheses must share to part there: the boundary
            itself.
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
        """Prepare what all utterances have in common.

        Args:
            lexicon: Tree of the words' letters.
            words: Scores words.
            priors: What is taken from the classes' scores, float64 [classes], as `letter_priors`
                returns it.
            blank: The blank's class.
            space: The space's class. Every other class is a letter.
            config: Settings of the search.

        Raises:
            ValueError: The lexicon is too large.
        """
        if len(lexicon.word) > 1 << NODE_BITS:
            raise ValueError("the lexicon is too large")
        self._lexicon = lexicon
        self._words = words
        self._adjustment = -config.letter_prior_weight * priors
        self._adjustment[blank] = -config.blank_penalty
        self._blank = blank
        self._space = space
        self._config = config
        self._steps = BeamSteps(lexicon, words, space, config)

    def run(self, log_probs: npt.NDArray[np.floating[Any]]) -> BestPath:
        """Search one utterance.

        Args:
            log_probs: Natural-log probabilities [frames, classes].

        Returns:
            The best text.
        """
        state = self.begin()
        self.advance(state, log_probs)
        return self.finish(state)

    def begin(self, *, notes: bool = False) -> SearchState:
        """Return the state before an utterance.

        Args:
            notes: Whether `alternatives` will be asked for.
        """
        return SearchState(self._start(), recombinations=Recombinations() if notes else None)

    def blank_frames(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Tell in which frames no label but the blank is considered.

        Args:
            log_probs: Natural-log probabilities [frames, classes].

        Returns:
            bool [frames].
        """
        blank_frames: npt.NDArray[np.bool_] = ~np.logical_or.reduce(self._likely(log_probs), axis=1)
        return blank_frames

    def advance(self, state: SearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames of an utterance, any number of them.

        The state afterwards does not depend on how the frames were divided. A frame takes the same
        time however many there were before it.

        Args:
            state: How far the search has come; it is changed.
            log_probs: Natural-log probabilities [frames, classes].
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

        beam, traceback, recombinations = state.beam, state.traceback, state.recombinations
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
            beam = self._steps.step(
                beam, stay, total, row, labels, bool(boundary[frame]), recombinations
            )
            prefixes = beam.fields[PREFIX]
            new = (prefixes < 0).nonzero()[0]
            parents = ~prefixes[new]
            prefixes[new] = traceback.add(
                parents, beam.fields[LABEL].take(new), state.frames + frame
            )
            if recombinations is not None:
                recombinations.name(beam.fields[TEXT].take(new))
                recombinations.settle(traceback, state.frames + frame)
            elif traceback.needs_pruning:
                prefixes[:] = traceback.keep(prefixes)
        state.beam = beam
        state.frames += len(scores)

    def conclude(self, state: SearchState) -> None:
        """Do nothing, because a word's beginning is a text too."""

    def best(self, state: SearchState) -> BestPath:
        """Return the text that is ahead so far, which may end with the beginning of a word."""
        index = self.leader(state)
        labels, start_frames = state.traceback.follow(int(state.beam.fields[PREFIX, index]))
        return BestPath(labels, start_frames, float(state.beam.total()[index]))

    def leader(self, state: SearchState) -> int:
        """Return the index of the hypothesis that is ahead."""
        return int(state.beam.total().argmax())

    def finish(self, state: SearchState) -> BestPath:
        """Return the best text of an utterance that ends here. The state stays as it is."""
        return max(self._endings(state), key=_score)

    def alternatives(self, state: SearchState) -> Iterator[BestPath]:
        """Yield the best texts of an utterance that ends here, the most probable first.

        Args:
            state: How far the search has come; it must have been begun with notes.
        """
        for path in state.notes.paths(state.traceback, self._endings(state)):
            yield path.without_last(self._space)

    def graph(self, state: SearchState, threshold: float) -> WordGraph:
        """Return the texts of an utterance that ends here.

        Args:
            state: How far the search has come; it must have been begun with notes.
            threshold: Nats below the best text that a text may be.
        """
        endings = self._endings(state)
        return state.notes.graph(state.traceback, endings, threshold, self._space)

    def _endings(self, state: SearchState) -> list[BestPath]:
        beam = state.beam
        total = beam.total()
        context = beam.fields[CONTEXT].copy()
        inside = np.flatnonzero(beam.fields[NODE] != ROOT)
        if len(inside):
            gains, context[inside] = self._steps.end_words(beam, inside)
            total[inside] += gains - beam.scores[LOOKAHEAD, inside]
        total += self._words.finish(context)
        # The same text may stand with and without a boundary after it.
        scores: dict[tuple[int, ...], float] = {}
        first: dict[tuple[int, ...], tuple[Integers, int]] = {}
        finalists = total.argsort()[::-1][:_FINALISTS]
        prefixes = beam.fields[PREFIX, finalists]
        spelled, frames = state.traceback.paths(prefixes)
        lengths = np.count_nonzero(spelled != NO_LABEL, axis=1)
        for row, end in enumerate(lengths.tolist()):
            if end and spelled[row, end - 1] == self._space:
                end -= 1
            text = tuple(spelled[row, :end].tolist())
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), total[finalists[row]]))
            first.setdefault(text, (frames[row, :end], int(prefixes[row])))
        return [
            BestPath(np.array(text, np.int64), first[text][0], score, first[text][1])
            for text, score in scores.items()
        ]

    def spelled(self, state: SearchState) -> Spelled:
        """Return what all hypotheses have spelled."""
        labels, start_frames = state.spelled()
        return Spelled(labels, start_frames, start_frames)

    def boundaries(self, labels: Integers) -> Integers:
        """Find the boundaries after words in what a hypothesis spelled.

        Args:
            labels: Classes [labels].

        Returns:
            Indices of boundaries, int64 [boundaries].
        """
        return np.flatnonzero(labels[1:] == self._space) + 1

    def _likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, self._blank] = False
        return likely

    def _start(self) -> Hypotheses:
        fields = np.zeros((6, 1), np.int64)
        fields[CONTEXT] = self._words.start
        fields[KEY] = fields[CONTEXT] << NODE_BITS
        fields[NODE] = ROOT
        fields[LABEL] = self._space
        log_scores = np.zeros((3, 1))
        log_scores[SPOKEN] = LOG_ZERO
        return Hypotheses(fields, log_scores)
