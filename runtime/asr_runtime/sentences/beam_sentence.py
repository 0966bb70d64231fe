"""Beam search of one sentence after another, of which there may be no end."""

from __future__ import annotations

from typing import Generic

import numpy as np

from asr_runtime.decoding.beam_decoder import without_leading_space
from asr_runtime.decoding.decoder import Decoder, P, S
from asr_runtime.decoding.greedy import WORD_BOUNDARY
from asr_runtime.decoding.heads import Rows
from asr_runtime.decoding.hypotheses import Integers
from asr_runtime.decoding.traceback import BestPath, Spelled
from asr_runtime.sentences.sentence_search import Partial
from asr_runtime.timed_text import Token

# Frames after which words may become stable; a multiple of them whatever the pieces they come in.
_STEP = 10

# Words that ended so long ago are those of the best hypothesis from then on.
_AGREEMENT_SECONDS = 3.0

# Frames after a word boundary that a sentence is to be cut at by force.
_CUT_SECONDS = 1.0


class BeamSentence(Generic[S, P]):
    """`Decoder.decode` for frames that come some at a time; see `SentenceSearch`.

    Words that all hypotheses have in common become stable: their times, their confidences and
    whether they were spoken at all are settled, and their frames are not needed any more.

    Attributes:
        begin: First frame of the sentence, counted from the first frame of all.
        frames: Number of frames of all sentences.
    """

    def __init__(self, decoder: Decoder[S, P], seconds_per_frame: float) -> None:
        """Begin before the first frame.

        Args:
            decoder: The beam search.
            seconds_per_frame: How far apart frames are.
        """
        self._heads = decoder.heads
        self._search = decoder.search
        self._aligner = decoder.aligner
        self._seconds = seconds_per_frame
        self._rows: Rows = np.zeros((0, decoder.heads.width), np.float32)
        self.begin = 0
        self.frames = 0
        self._state = self._search.begin()
        # The frame that the search's first is, and the first of those that are kept.
        self._origin = 0
        self._base = 0
        self._stable: tuple[Token, ...] = ()

    def advance(self, rows: Rows) -> None:
        """Search the next frames [frames, columns of the heads]."""
        while len(rows):
            step = _STEP - self._state.frames % _STEP
            piece, rows = rows[:step], rows[step:]
            self._search.advance(self._state, self._heads.heard(piece))
            self._rows = np.concatenate((self._rows, piece))
            self.frames += len(piece)
            if self._state.frames % _STEP == 0:
                self._agree()

    def partial(self) -> Partial:
        """Return the stable words, and with them the rest of the best hypothesis."""
        tokens = self._with_stable(self._written(self._search.best(self._state)))
        text = _text(tokens).rstrip(WORD_BOUNDARY)
        return Partial(text, _text(self._stable))

    def end(self) -> tuple[Token, ...]:
        """Return the sentence that ends here."""
        tokens = self._with_stable(self._written(self._search.finish(self._state)))
        self._state = self._search.begin()
        self.begin = self._origin = self._base = self.frames
        self._rows = self._rows[:0].copy()
        self._stable = ()
        return tokens

    def split(self) -> tuple[Token, ...]:
        """Return the sentence up to a word boundary; the search goes on, aware of those words."""
        earliest = self.begin + (self.frames - self.begin) // 3
        if self._base <= earliest:
            spelled, best = self._spelled()
            places = self._search.boundaries(spelled.labels[best])
            at = spelled.start_frames[best, places] + self._origin
            places, at = places[at > earliest], at[at > earliest]
            if not len(places):
                return self.end()
            before = at < self.frames - _CUT_SECONDS / self._seconds
            place = places[before][-1] if before.any() else places[-1]
            self._settle(int(place), spelled, best)
        tokens = self._stable
        self.begin = self._base
        self._stable = ()
        return tokens

    def _spelled(self) -> tuple[Spelled, int]:
        """Return what the hypotheses have spelled, and the index of the best."""
        return self._search.spelled(self._state), self._search.leader(self._state)

    def _agree(self) -> None:
        """Make the words stable that all hypotheses share, or that are old enough."""
        spelled, best = self._spelled()
        labels = spelled.labels
        places = self._search.boundaries(labels[best])
        if not len(places):
            return
        differs = np.flatnonzero((labels != labels[best]).any(axis=0))
        shared = int(differs[0]) if len(differs) else labels.shape[1]
        limit = self.frames - _AGREEMENT_SECONDS / self._seconds - self._origin
        agreed = places + self._search.shared <= shared
        settled = places[agreed | (spelled.since[best, places] < limit)]
        if len(settled):
            self._settle(int(settled[-1]), spelled, best)

    def _settle(self, place: int, spelled: Spelled, best: int) -> None:
        """Make the labels before a boundary of the best hypothesis stable; drop all that differ.

        Args:
            place: Index of the boundary.
            spelled: What all hypotheses have spelled.
            best: Index of the best hypothesis.
        """
        labels, start_frames = spelled.labels, spelled.start_frames
        until = place + self._search.shared
        agrees = np.flatnonzero((labels[:, :until] == labels[best, :until]).all(axis=1))
        # The frame from which on none of the hypotheses spells what comes before.
        cut = int(start_frames[agrees, place].min()) + self._origin - self._base
        number = np.count_nonzero(labels[best] >= 0)
        frames = start_frames[best, :number] + self._origin - self._base
        aligned = self._place(self._rows, labels[best, :number], frames)
        if self._search.shared and aligned.last[place - 1] >= cut:
            aligned = self._place(self._rows[:cut], labels[best, :place], frames[:place])
        self._stable = self._with_stable(self._tokens(aligned.before(place)))
        self._state.beam = self._state.beam.take(agrees)
        self._state.commit(place)
        self._rows = self._rows[cut:].copy()
        self._base += cut

    def _written(self, found: BestPath) -> tuple[Token, ...]:
        frames = found.start_frames + self._origin - self._base
        return self._tokens(self._place(self._rows, found.labels, frames))

    def _place(self, rows: Rows, labels: Integers, start_frames: Integers) -> P:
        blank_frames = self._search.blank_frames(self._heads.heard(rows))
        return self._aligner.align(rows, labels, start_frames, blank_frames)

    def _tokens(self, aligned: P) -> tuple[Token, ...]:
        previous = self._stable[-1] if self._stable else None
        return self._aligner.tokens(self._rows, aligned, self._seconds, self._base, previous)

    def _with_stable(self, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        return self._stable + tokens if self._stable else without_leading_space(tokens)


def _text(tokens: tuple[Token, ...]) -> str:
    return "".join(token.text for token in tokens)
