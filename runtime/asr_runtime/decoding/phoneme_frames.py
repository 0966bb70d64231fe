"""The frames of the search by phonemes: which need no step, and the way out of dead ends.

Frames in which nothing but the blank is likely are skipped (Z. Chen, Y. Zhuang, Y. Qian, K. Yu,
"Phone synchronous speech recognition with CTC lattices", IEEE/ACM Transactions on Audio, Speech,
and Language Processing 25(1), 2017), and in one that is much like the frame before no label begins.

A narrow beam can be led into a dead end: all its hypotheses are inside of words that fit only at
first. None can end, so that nothing that is said from there on would be in the text. The search
sees it by how much less probable the best hypothesis has become, since one last stood between
words, than the labels that were heard. Then it goes back to there, and searches once more with a
wider beam, until a hypothesis between words is near the best one again. So do decoders that retry
with a wider beam (D. Povey et al., "The Kaldi speech recognition toolkit", ASRU 2011), for whole
utterances.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.hypotheses import Hypotheses
from asr_runtime.decoding.phoneme_state import IMPROBABLE, Frame, PhonemeSearchState, Refuge
from asr_runtime.decoding.phoneme_steps import PhonemeSteps
from asr_runtime.language import phonemes

_DEAD_END = 12.0
"""Nats by which no hypothesis that can still end falls behind what was heard, within a word."""

_WIDER = 2.0
"""So many times as wide is the beam after a dead end. Three times find no more."""


class PhonemeFrames:
    """Searches frame by frame; see `PhonemeSearch`."""

    def __init__(self, steps: PhonemeSteps, config: BeamConfig) -> None:
        """Take what all frames have in common.

        Args:
            steps: The steps in frames in which labels are likely.
            config: Settings of the search.
        """
        self._steps = steps
        self._wide_steps = steps.widened(_WIDER)
        self._config = config

    def advance(self, state: PhonemeSearchState, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames; see `PhonemeSearch.advance`."""
        # Impossible is very improbable here, so that there is always a best text.
        if not len(log_probs):
            return
        scores = np.maximum(log_probs.astype(np.float64), IMPROBABLE)
        likely = self.likely(scores)
        rows = np.exp(np.concatenate((state.last_row, scores)))
        state.last_row = scores[-1:].copy()
        overlap = np.minimum(rows[1:], rows[:-1]).sum(axis=1)
        steady = (overlap > self._config.steady_threshold).tolist()
        scores[:, phonemes.BLANK] -= self._config.blank_penalty
        silent = (~np.logical_or.reduce(likely, axis=1)).tolist()
        heard = scores.max(axis=1).tolist()
        for place, row in enumerate(scores):
            number = state.frames + place
            frame = Frame(number, row, likely[place], silent[place], steady[place])
            self._search(state, frame, heard[place])
        state.frames += len(scores)

    def conclude(self, state: PhonemeSearchState) -> None:
        """Search the end of an utterance once more if no hypothesis ends with a word."""
        refuge = state.refuge
        if refuge is not None and not state.wide and not self._steps.between(state.beam).any():
            self._retry(state, refuge)

    def likely(self, log_probs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
        """Tell which labels are considered, bool [frames, phonemes + 1]."""
        likely: npt.NDArray[np.bool_] = log_probs > np.log(self._config.label_threshold)
        likely[:, phonemes.BLANK] = False
        return likely

    def _search(self, state: PhonemeSearchState, frame: Frame, heard: float) -> None:
        """Search a frame, and once more what led to a dead end.

        Args:
            state: How far the search has come; it is changed.
            frame: The frame.
            heard: Log-probability of its most probable label.
        """
        refuge = state.refuge or state.settle()
        if not state.wide:
            refuge.frames.append(frame)
            refuge.heard += heard
        if not self._step(state, frame):
            return
        between = self._steps.between(state.beam)
        if state.wide:
            total = state.beam.total()
            least = total.max() - self._config.word_end_threshold
            if (total[between] > least).any():
                state.wide = False
                state.settle()
        elif between.any():
            state.settle()
        elif refuge.best + refuge.heard - float(state.beam.total().max()) > _DEAD_END:
            self._retry(state, refuge)
        if state.recombinations is None and state.traceback.needs_pruning:
            state.commit(0)

    def _retry(self, state: PhonemeSearchState, refuge: Refuge) -> None:
        """Search the frames since the refuge once more, with a wider beam."""
        state.go_back(refuge)
        state.wide = True
        for frame in refuge.frames:
            self._step(state, frame)

    def _step(self, state: PhonemeSearchState, frame: Frame) -> bool:
        """Search a frame, and tell whether labels could be added in it."""
        steps = self._wide_steps if state.wide else self._steps
        if frame.silent:
            state.silence += float(frame.row[phonemes.BLANK])
            state.silent, state.stepped = True, False
        elif state.stepped and frame.steady:
            state.beam = Hypotheses(state.beam.fields, steps.staying(state.beam, frame.row))
            state.stepped = False
        else:
            state.count_silence()
            steps.step(state, frame.row, frame.likely.nonzero()[0], frame.number)
            state.stepped = True
        return state.stepped
