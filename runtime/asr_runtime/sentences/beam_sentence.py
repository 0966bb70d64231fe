"""Beam search of one sentence after another, of which there may be no end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from asr_runtime.decoding.beam_decoder import without_leading_space
from asr_runtime.decoding.best_texts import best_texts, ranked_paths
from asr_runtime.decoding.decoder import Decoder, P, S
from asr_runtime.decoding.greedy import WORD_BOUNDARY
from asr_runtime.decoding.heads import Rows
from asr_runtime.decoding.hypotheses import PREFIX, Integers
from asr_runtime.decoding.traceback import BestPath, Spelled
from asr_runtime.decoding.word_histories import Context
from asr_runtime.sentences.sentence_search import Partial
from asr_runtime.timed_text import Token

# Frames after which words may become stable; a multiple of them whatever the pieces they come in.
_STEP = 10

# Words that ended so long ago are those of the best hypothesis from then on.
_AGREEMENT_SECONDS = 3.0

# Where the best texts are compared once more, words wait for that: until the sentence's first word
# that is not stable began so long ago, and until so long after the last comparison. Then those are
# settled that ended some time ago.
_RESCORED_SECONDS = 3.0
_SETTLED_SECONDS = 1.5
_PAUSE_SECONDS = 1.0

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
        self._decoder = decoder
        self._heads = decoder.heads
        self._search = decoder.search
        self._aligner = decoder.aligner
        self._seconds = seconds_per_frame
        self._rows: Rows = np.zeros((0, decoder.heads.width), np.float32)
        self.begin = 0
        self.frames = 0
        self._state = self._begin()
        # The frame that the search's first is, and the first of those that are kept.
        self._origin = 0
        self._base = 0
        self._compared = 0
        # What the stable words of the sentence are to those that compare texts once more.
        self._context: Context | None = None
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
        written, _, _ = best_texts(self._decoder, self._state, self._written, self._context)
        tokens = self._with_stable(written)
        self._state = self._begin()
        self.begin = self._origin = self._base = self.frames
        self._rows = self._rows[:0].copy()
        self._stable = ()
        self._context = None
        return tokens

    def split(self) -> tuple[Token, ...]:
        """Return the sentence up to a word boundary; the search goes on, aware of those words."""
        earliest = self.begin + (self.frames - self.begin) // 3
        if self._base <= earliest:
            ahead = self._ahead()
            places = self._search.boundaries(ahead.labels)
            at = ahead.start_frames[places] + self._origin
            fits = (at > earliest) & (places >= ahead.own)
            places, at = places[fits], at[fits]
            if not len(places):
                return self.end()
            before = at < self.frames - _CUT_SECONDS / self._seconds
            place = places[before][-1] if before.any() else places[-1]
            self._settle(int(place), ahead)
        tokens = self._stable
        self.begin = self._base
        self._stable = ()
        return tokens

    def _begin(self) -> S:
        """Return the state before a sentence."""
        return self._search.begin(notes=self._decoder.rescorer is not None)

    def _ahead(self) -> _Ahead:
        """Return the text that is ahead, after the best ones were compared once more."""
        spelled = self._search.spelled(self._state)
        rescorer = self._decoder.rescorer
        if rescorer is None:
            best = self._search.leader(self._state)
            return _Ahead(spelled, best, spelled.labels[best], spelled.start_frames[best])
        found = next(ranked_paths(self._decoder, rescorer, self._state, self._context))
        beam = self._state.beam
        best = int(np.where(beam.fields[PREFIX] == found.prefix, beam.total(), -np.inf).argmax())
        # The hypothesis's own labels go on where the path's beginning ends.
        rest = slice(found.own + found.shift, None)
        labels = np.concatenate((found.labels[: found.own], spelled.labels[best, rest]))
        frames = np.concatenate((found.start_frames[: found.own], spelled.start_frames[best, rest]))
        return _Ahead(spelled, best, labels, frames, found.own, found.shift)

    def _agree(self) -> None:
        """Make the words stable that all hypotheses share, or that are old enough."""
        if self._decoder.rescorer is not None and self._waits():
            return
        ahead = self._ahead()
        places = self._search.boundaries(ahead.labels)
        if not len(places):
            return
        plain = self._decoder.rescorer is None
        seconds = _AGREEMENT_SECONDS if plain else _SETTLED_SECONDS
        limit = self.frames - seconds / self._seconds - self._origin
        since = ahead.spelled.since[ahead.best]
        settled = (places >= ahead.own) & (since[places + ahead.shift] < limit)
        if plain:
            labels = ahead.spelled.labels
            differs = np.flatnonzero((labels != ahead.labels).any(axis=0))
            shared = int(differs[0]) if len(differs) else labels.shape[1]
            settled |= places + self._search.shared <= shared
        places = places[settled]
        if len(places):
            self._settle(int(places[-1]), ahead)

    def _waits(self) -> bool:
        """Whether it is too early to compare the best texts once more; if not, it is done now."""
        if self.frames < self._compared + _PAUSE_SECONDS / self._seconds:
            return True
        began = self._search.best(self._state).start_frames
        limit = self.frames - _RESCORED_SECONDS / self._seconds - self._origin
        if not len(began) or began[0] > limit:
            return True
        self._compared = self.frames
        return False

    def _settle(self, place: int, ahead: _Ahead) -> None:
        """Make the labels before a boundary of the text ahead stable; drop all that differ.

        Args:
            place: Index of the boundary in the text ahead, among the hypothesis's own.
            ahead: The text that is ahead.
        """
        labels, start_frames = ahead.spelled.labels, ahead.spelled.start_frames
        own = place + ahead.shift
        until = own + self._search.shared
        agrees = np.flatnonzero((labels[:, :until] == labels[ahead.best, :until]).all(axis=1))
        # The frame from which on none of the hypotheses spells what comes before.
        cut = int(start_frames[agrees, own].min()) + self._origin - self._base
        number = np.count_nonzero(ahead.labels >= 0)
        frames = ahead.start_frames[:number] + self._origin - self._base
        aligned = self._place(self._rows, ahead.labels[:number], frames)
        if self._search.shared and aligned.last[place - 1] >= cut:
            aligned = self._place(self._rows[:cut], ahead.labels[:place], frames[:place])
        self._stable = self._with_stable(self._tokens(aligned.before(place)))
        self._state.beam = self._state.beam.take(agrees)
        self._state.commit(own, self._search.shared)
        if self._decoder.rescorer is not None:
            words = self._decoder.word_ids(ahead.labels[:place])
            self._context = self._decoder.rescorer.mixture.after(words, self._context)
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


@dataclass(frozen=True)
class _Ahead:
    """The text that is ahead.

    Attributes:
        spelled: What all hypotheses have spelled.
        best: Index of the hypothesis that the text ends as.
        labels: Of the text, as in `Spelled`, int64 [labels].
        start_frames: Frame from which on each was spelled, int64 [labels].
        own: Label of the text from which on its labels are the hypothesis's.
        shift: How many labels more than the text the hypothesis has before those.
    """

    spelled: Spelled
    best: int
    labels: Integers
    start_frames: Integers
    own: int = 0
    shift: int = 0


def _text(tokens: tuple[Token, ...]) -> str:
    return "".join(token.text for token in tokens)
