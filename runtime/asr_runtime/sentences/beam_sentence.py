"""Beam search of one sentence after another, of which there may be no end."""

from typing import Any

import numpy as np
import numpy.typing as npt

from asr_runtime.decoding.beam_decoder import BeamDecoder
from asr_runtime.decoding.greedy import WORD_BOUNDARY
from asr_runtime.decoding.hypotheses import Integers
from asr_runtime.sentences.sentence_search import Partial, without_leading_space
from asr_runtime.transcript import Token

# Frames after which words may become stable; a multiple of them whatever the pieces they come in.
_STEP = 10

# Words that ended so long ago are those of the best hypothesis from then on.
_AGREEMENT_SECONDS = 3.0

# Frames after a word boundary that a sentence is to be cut at by force.
_CUT_SECONDS = 1.0


class BeamSentence:
    """`BeamDecoder.decode` for frames that come piece by piece; see `SentenceSearch`.

    Words that all hypotheses have in common become stable: their times, their confidences and
    whether they were spoken at all are settled, and their frames are not needed any more.
    """

    def __init__(self, decoder: BeamDecoder, seconds_per_frame: float) -> None:
        self._search = decoder.search
        self._placer = decoder.placer
        self._space = decoder.vocabulary.index(WORD_BOUNDARY)
        self._seconds = seconds_per_frame
        self._rows: npt.NDArray[np.floating[Any]] = np.zeros(
            (0, len(decoder.vocabulary)), np.float32
        )
        self.begin = 0
        self.frames = 0
        self._state = self._search.begin()
        # The frame that the search's first is, and the first of those that are kept.
        self._origin = 0
        self._base = 0
        self._stable: tuple[Token, ...] = ()

    def advance(self, log_probs: npt.NDArray[np.floating[Any]]) -> None:
        """Search the next frames [frames, classes]."""
        while len(log_probs):
            step = _STEP - self._state.frames % _STEP
            piece, log_probs = log_probs[:step], log_probs[step:]
            self._search.advance(self._state, piece)
            self._rows = np.concatenate((self._rows, piece))
            self.frames += len(piece)
            if self._state.frames % _STEP == 0:
                self._agree()

    def partial(self) -> Partial:
        """The stable words, and with them the rest of the best hypothesis."""
        found = self._search.best(self._state)
        tokens = self._with_stable(self._placed(found.labels, found.entered))
        text = _text(tokens).rstrip(WORD_BOUNDARY)
        return Partial(text, _text(self._stable))

    def end(self) -> tuple[Token, ...]:
        """The sentence that ends here."""
        found = self._search.finish(self._state)
        tokens = self._with_stable(self._placed(found.labels, found.entered))
        self._state = self._search.begin()
        self.begin = self._origin = self._base = self.frames
        self._rows = self._rows[:0].copy()
        self._stable = ()
        return tokens

    def split(self) -> tuple[Token, ...]:
        """The sentence up to a word boundary; the search goes on with the words before in mind."""
        earliest = self.begin + (self.frames - self.begin) // 3
        if self._base <= earliest:
            labels, entered = self._state.spelled()
            best = int(self._state.beam.total().argmax())
            places = self._boundaries(labels[best])
            at = entered[best, places] + self._origin
            places, at = places[at > earliest], at[at > earliest]
            if not len(places):
                return self.end()
            before = at < self.frames - _CUT_SECONDS / self._seconds
            place = places[before][-1] if before.any() else places[-1]
            self._settle(int(place), labels, entered, best)
        tokens = self._stable
        self.begin = self._base
        self._stable = ()
        return tokens

    def _agree(self) -> None:
        """Make the words stable that all hypotheses share, or that are old enough."""
        labels, entered = self._state.spelled()
        best = int(self._state.beam.total().argmax())
        places = self._boundaries(labels[best])
        if not len(places):
            return
        differs = np.flatnonzero((labels != labels[best]).any(axis=0))
        shared = int(differs[0]) if len(differs) else labels.shape[1]
        limit = self.frames - _AGREEMENT_SECONDS / self._seconds - self._origin
        settled = places[(places < shared) | (entered[best, places] < limit)]
        if len(settled):
            self._settle(int(settled[-1]), labels, entered, best)

    def _boundaries(self, labels: Integers) -> Integers:
        """Places of the boundaries after words."""
        return np.flatnonzero(labels[1:] == self._space) + 1

    def _settle(self, place: int, labels: Integers, entered: Integers, best: int) -> None:
        """Make the labels before a boundary of the best hypothesis stable.

        labels, entered: of all hypotheses. Those that differ so far are dropped.
        """
        agrees = np.flatnonzero((labels[:, : place + 1] == labels[best, : place + 1]).all(axis=1))
        # The frame from which on none of the hypotheses spells what comes before.
        cut = int(entered[agrees, place].min()) + self._origin - self._base
        spelled = np.count_nonzero(labels[best] >= 0)
        before, after = labels[best, :place], labels[best, :spelled]
        frames = entered[best, :spelled] + self._origin - self._base
        first, last = self._align(self._rows, after, frames)
        if last[place - 1] >= cut:
            first, last = self._align(self._rows[:cut], before, frames[:place])
        tokens = self._placer.tokens(
            self._rows, before, first[:place], last[:place], self._seconds, self._base
        )
        self._stable = self._with_stable(tokens)
        self._state.beam = self._state.beam.take(agrees)
        self._state.forget(place)
        self._rows = self._rows[cut:].copy()
        self._base += cut

    def _placed(self, labels: Integers, entered: Integers) -> tuple[Token, ...]:
        frames = entered + self._origin - self._base
        first, last = self._align(self._rows, labels, frames)
        return self._placer.tokens(self._rows, labels, first, last, self._seconds, self._base)

    def _align(
        self, rows: npt.NDArray[np.floating[Any]], labels: Integers, entered: Integers
    ) -> tuple[Integers, Integers]:
        return self._placer.align(rows, labels, entered, self._search.quiet(rows))

    def _with_stable(self, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        return self._stable + tokens if self._stable else without_leading_space(tokens)


def _text(tokens: tuple[Token, ...]) -> str:
    return "".join(token.text for token in tokens)
