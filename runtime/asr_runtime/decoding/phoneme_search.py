"""CTC beam search over words by their sounds, with whole-array operations over the hypotheses.

As `beam_search`, but down a tree of pronunciations. There is no label between words: a hypothesis
that comes to a phoneme with which words end goes on in the tree, and is also ended, once for each
of these words. To count no path twice, only what comes to the phoneme in this frame is ended in it.
`phoneme_steps` has one step, `phoneme_frames` says in which frames there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hypotheses import (
    BEGAN,
    CONTEXT,
    KEY,
    LOG_ZERO,
    NODE,
    PREFIX,
    SPOKEN,
    TEXT,
    Hypotheses,
    Integers,
)
from asr_runtime.decoding.phoneme_frames import PhonemeFrames
from asr_runtime.decoding.phoneme_state import PhonemeSearchState
from asr_runtime.decoding.phoneme_steps import NODE_BITS, PhonemeSteps
from asr_runtime.decoding.recombinations import Recombinations
from asr_runtime.decoding.traceback import NO_LABEL, BestPath, Spelled
from asr_runtime.decoding.word_graph import WordGraph
from asr_runtime.decoding.word_scores import WordCache, WordScorer
from asr_runtime.language import phonemes
from asr_runtime.language.pronunciation_tree import PronunciationTree

_FINALISTS = 16
_OPEN = -2


class PhonemeSearch:
    """The search with one tree of pronunciations and language model.

    Attributes:
        shared: Labels that hypotheses must share to part after a word: none beyond the word.
    """

    shared = 0

    def __init__(self, tree: PronunciationTree, words: WordScorer, config: BeamConfig) -> None:
        """Prepare what all utterances have in common.

        Args:
            tree: Tree of the pronunciations.
            words: Scores words.
            config: Settings of the search.

        Raises:
            ValueError: The tree is too large.
        """
        if tree.nowhere >= 1 << NODE_BITS:
            raise ValueError("the tree is too large")
        self._tree = tree
        self._words = words
        self._config = config
        self._steps = PhonemeSteps(tree, words, config)
        self._frames = PhonemeFrames(self._steps, config)

    def run(self, log_probs: npt.NDArray[np.floating[Any]]) -> BestPath:
        """Search one utterance.

        Args:
            log_probs: Natural-log probabilities [frames, phonemes + 1].

        Returns:
            The best text.
        """
        state = self.begin()
        self.advance(state, log_probs)
        self.conclude(state)
        return self.finish(state)

    def begin(self, *, notes: bool = False) -> PhonemeSearchState:
        """Return the state before an utterance.

        Args:
            notes: Whether `alternatives` will be asked for.
        """
        fields = np.zeros((6, 1), np.int64)
        fields[CONTEXT] = self._words.start
        fields[NODE] = self._tree.roots + phonemes.BLANK
        fields[KEY] = (fields[CONTEXT] << NODE_BITS) | fields[NODE]
        log_scores = np.zeros((3, 1))
        log_scores[SPOKEN] = LOG_ZERO
        return PhonemeSearchState(
            Hypotheses(fields, log_scores),
            words=WordCache(self._words),
            recombinations=Recombinations() if notes else None,
        )

    def blank_frames(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Tell in which frames no label but the blank is considered.

        Args:
            log_probs: Natural-log probabilities [frames, phonemes + 1].

        Returns:
            bool [frames].
        """
        blank_frames: npt.NDArray[np.bool_] = ~np.logical_or.reduce(
            self._frames.likely(log_probs), axis=1
        )
        return blank_frames

    def advance(self, state: PhonemeSearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames of an utterance, any number of them.

        The state afterwards does not depend on how the frames were divided. A frame takes the same
        time however many there were before it.

        Args:
            state: How far the search has come; it is changed.
            log_probs: Natural-log probabilities [frames, phonemes + 1].
        """
        self._frames.advance(state, log_probs)

    def conclude(self, state: PhonemeSearchState) -> None:
        """Search the end of an utterance once more if no hypothesis ends with a word."""
        self._frames.conclude(state)

    def best(self, state: PhonemeSearchState) -> BestPath:
        """Return the words that are ahead so far, without one that is being spoken."""
        index = self.leader(state)
        found, began = state.traceback.follow(int(state.beam.fields[PREFIX, index]))
        return BestPath(found, began, float(state.beam.total()[index]) + state.silence)

    def leader(self, state: PhonemeSearchState) -> int:
        """Return the index of the best hypothesis; in silence of those between words, if any is."""
        total = state.beam.total()
        if state.silent:
            between = self._steps.between(state.beam)
            total = np.where(between, total, LOG_ZERO) if between.any() else total
        return int(total.argmax())

    def finish(self, state: PhonemeSearchState) -> BestPath:
        """Return the best text of an utterance that ends here. The state stays as it is."""
        scores, prefixes = self._endings(state)
        best = max(scores, key=scores.__getitem__)
        found, began = state.traceback.follow(prefixes[best])
        return BestPath(found, began, scores[best] + state.silence)

    def alternatives(self, state: PhonemeSearchState) -> Iterator[BestPath]:
        """Yield the best texts of an utterance that ends here, the most probable first.

        Args:
            state: How far the search has come; it must have been begun with notes.
        """
        yield from state.notes.paths(state.traceback, self._paths(state))

    def graph(self, state: PhonemeSearchState, threshold: float) -> WordGraph:
        """Return the texts of an utterance that ends here.

        Args:
            state: How far the search has come; it must have been begun with notes.
            threshold: Nats below the best text that a text may be.
        """
        return state.notes.graph(state.traceback, self._paths(state), threshold)

    def _paths(self, state: PhonemeSearchState) -> list[BestPath]:
        """Return the paths of the best texts."""
        scores, prefixes = self._endings(state)
        return [
            BestPath(
                *state.traceback.follow(prefix := prefixes[text]), score + state.silence, prefix
            )
            for text, score in scores.items()
        ]

    def _endings(self, state: PhonemeSearchState) -> tuple[dict[int, float], dict[int, int]]:
        """Return the scores and the prefixes of the best texts, by their hashes."""
        beam = state.beam
        total = beam.total()
        complete = self._steps.between(beam)
        if complete.any():
            total[~complete] = LOG_ZERO
        total = total + self._words.finish(beam.fields[CONTEXT])
        # One text may stand with several last phonemes.
        scores: dict[int, float] = {}
        prefixes: dict[int, int] = {}
        for index in total.argsort()[::-1][:_FINALISTS].tolist():
            text = int(beam.fields[TEXT, index])
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), total[index]))
            prefixes.setdefault(text, int(beam.fields[PREFIX, index]))
        return scores, prefixes

    def spelled(self, state: PhonemeSearchState) -> Spelled:
        """Return the words of all hypotheses, and after each one's last an open place."""
        words, began = state.spelled()
        number = np.count_nonzero(words != NO_LABEL, axis=1)[:, None]
        labels, start_frames = (np.pad(part, ((0, 0), (0, 1))) for part in (words, began))
        np.put_along_axis(labels, number, _OPEN, axis=1)
        labels[:, -1:][number <= words.shape[1] - 1] = NO_LABEL
        open_since = state.beam.fields[BEGAN]
        between = self._steps.between(state.beam)
        since = start_frames.copy()
        np.put_along_axis(since, number, open_since[:, None], axis=1)
        # The next word of a hypothesis between words begins later than all frames so far.
        begins = np.where(between, state.frames, open_since)
        np.put_along_axis(start_frames, number, begins[:, None], axis=1)
        return Spelled(labels, start_frames, since)

    def boundaries(self, labels: Integers) -> Integers:
        """Find the places after words in what a hypothesis spelled.

        Args:
            labels: Pronunciations, then what is no label [labels].

        Returns:
            Indices, int64 [words].
        """
        return np.arange(1, np.count_nonzero(labels >= 0) + 1)
