"""Endless speech as sentences: log-probabilities in, some at a time, transcripts out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from asr_runtime.decoding.alternatives import led_by
from asr_runtime.decoding.beam_decoder import text_of
from asr_runtime.decoding.calibration import calibrated
from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.greedy import WORD_BOUNDARY
from asr_runtime.decoding.heads import Heads, Rows
from asr_runtime.model_file.word_calibration import WordCalibration
from asr_runtime.sentences.beam_sentence import BeamSentence
from asr_runtime.sentences.endpointing import EndpointConfig, Endpointer
from asr_runtime.sentences.greedy_sentence import GreedySentence
from asr_runtime.sentences.sentence_search import Partial, SentenceSearch
from asr_runtime.timed_text import Alternative, Token, clipped, geometric_mean
from asr_runtime.transcript import Transcript


class SentenceDecoder:
    """Cuts frames into sentences at pauses and decodes them, greedy or beam, as they come.

    Results do not depend on how the frames were divided, and neither memory nor the time for a
    frame grows with their number, unless both times of the `EndpointConfig` are infinite.

    A pause is a run of frames in which the blank or a space is the most probable, or of phonemes,
    where the beam decoder takes them, the blank. The cut lies in the middle of it. Silence, and
    whatever else holds no words, gives no sentence.
    """

    def __init__(
        self,
        beam_decoder: AnyDecoder | None,
        vocabulary: Sequence[str],
        blank_id: int,
        seconds_per_frame: float,
        endpoint: EndpointConfig | None = None,
        calibration: WordCalibration | None = None,
        alternatives: int = 1,
    ) -> None:
        """Begin before the first frame.

        Args:
            beam_decoder: The beam search, which several sentence decoders may share, also in
                several threads; None decodes greedily.
            vocabulary: The text of each class.
            blank_id: The blank's class.
            seconds_per_frame: How far apart frames are.
            endpoint: What ends a sentence; None for the defaults.
            calibration: Corrections of the words of finished sentences.
            alternatives: How many texts each finished sentence has. For more than one, which needs
                a beam search, it is searched once more by itself.
        """
        self._beam_decoder = beam_decoder
        self._alternatives = alternatives
        # Where there are alternatives, the frames of the sentence, and the first one's number.
        self._rows: list[Rows] = []
        self._rows_begin = 0
        self._calibration = calibration
        vocabulary = tuple(vocabulary)
        self._heads = Heads(len(vocabulary), blank_id)
        if beam_decoder is not None:
            self._heads = beam_decoder.heads
        self._seconds = seconds_per_frame
        self._endpointer = Endpointer(endpoint or EndpointConfig(), seconds_per_frame)
        self._search: SentenceSearch = (
            GreedySentence(vocabulary, blank_id, seconds_per_frame)
            if beam_decoder is None
            else BeamSentence(beam_decoder, seconds_per_frame)
        )
        self._silent = [self._heads.blank]
        if not self._heads.phonemes and WORD_BOUNDARY in vocabulary:
            self._silent.append(vocabulary.index(WORD_BOUNDARY))
        self._waiting = np.zeros((0, self._heads.width), np.float32)
        # Since the last sentence with words: its end, and log-probabilities of the blank.
        self._silent_since = 0
        self._blank_log_prob = 0.0

    @property
    def start(self) -> float:
        """Where the sentence that is being spoken begins, in seconds."""
        return self._search.begin * self._seconds

    @property
    def duration(self) -> float:
        """Length of all frames fed so far, in seconds."""
        return (self._search.frames + len(self._waiting)) * self._seconds

    def feed(self, rows: Rows) -> list[Transcript]:
        """Decode the next frames.

        Args:
            rows: Natural-log probabilities [frames, classes], any number of frames; those of
                phonemes beside them where the beam decoder takes them.

        Returns:
            The sentences that these frames finished, in order. Times are seconds from the start of
            the first frame ever fed. A sentence's ``start`` and ``duration`` are those of the audio
            that was searched for it, which begins and ends in the pauses around it.

        Raises:
            ValueError: The shape does not fit.
        """
        self._heads.check(rows)
        silent = np.isin(self._heads.heard(rows).argmax(axis=1), self._silent)
        frames = np.concatenate((self._waiting, rows))
        done, seen = 0, len(self._waiting)
        sentences: list[Transcript] = []
        for is_silent in silent.tolist():
            seen += 1
            self._endpointer.add(is_silent)
            if not (self._endpointer.ended or self._endpointer.overlong):
                continue
            waiting = self._endpointer.waiting
            self._advance(frames[done : seen - waiting])
            done = seen - waiting
            begin = self._search.begin
            if self._endpointer.ended:
                tokens = self._search.end()
                self._endpointer.restart(waiting, waiting)
            else:
                tokens = self._search.split()
                length = self._search.frames - self._search.begin
                self._endpointer.restart(length + waiting, waiting)
            sentences += self._sentence(tokens, begin)
        ready = seen - self._endpointer.waiting
        self._advance(frames[done:ready])
        self._waiting = frames[ready:].copy()
        return sentences

    def partial(self) -> Partial:
        """Return what is known of the sentence that is being spoken."""
        return self._search.partial()

    def finish(self, duration: float) -> list[Transcript]:
        """Decode what is left when the audio ends; feed nothing after it.

        Args:
            duration: Length of all audio in seconds. The last frame reaches past its end; no time
                does.

        Returns:
            The last sentence, or nothing.
        """
        self._advance(self._waiting)
        self._waiting = self._waiting[:0]
        begin = self._search.begin
        return self._sentence(self._search.end(), begin, duration)

    def silence(self, duration: float) -> Transcript:
        """Return the end of the audio that holds no words, when `finish` has returned nothing.

        Args:
            duration: Length of all audio in seconds.

        Returns:
            A transcript without text, from the last sentence to the end. Its confidence is the
            geometric mean of the blank's probability.
        """
        start = min(self._silent_since * self._seconds, duration)
        frames = self._search.frames - self._silent_since
        confidence = min(1.0, math.exp(self._blank_log_prob / frames)) if frames else 0.0
        return Transcript("", confidence, (), duration - start, start)

    def _advance(self, rows: Rows) -> None:
        self._search.advance(rows)
        if self._alternatives > 1:
            self._rows.append(rows)
        blank = self._heads.heard(rows)[:, self._heads.blank]
        self._blank_log_prob += float(blank.sum(dtype=float))

    def _sentence(
        self, tokens: tuple[Token, ...], begin: int, duration: float | None = None
    ) -> list[Transcript]:
        rows = self._spoken_rows()
        if not tokens:
            return []
        self._silent_since, self._blank_log_prob = self._search.begin, 0.0
        start, end = begin * self._seconds, self._search.begin * self._seconds
        if duration is not None:
            start, end = min(start, duration), duration
            tokens = clipped(tokens, duration)
        decoder = self._beam_decoder
        log_probs = None if decoder is None else decoder.word_log_probs
        tokens = calibrated(tokens, self._calibration, start, log_probs)
        text = text_of(tokens)
        return [
            Transcript(
                text=text,
                confidence=geometric_mean([token.confidence for token in tokens]),
                tokens=tokens,
                duration=end - start,
                start=start,
                alternatives=self._best_texts(text, rows, start, end),
            )
        ]

    def _spoken_rows(self) -> Rows | None:
        """Return the frames of the sentence that just ended, if there are to be alternatives."""
        if self._alternatives == 1:
            return None
        rows = np.concatenate(self._rows) if self._rows else self._waiting[:0]
        number = self._search.begin - self._rows_begin
        self._rows, self._rows_begin = [rows[number:]], self._search.begin
        return rows[:number]

    def _best_texts(
        self, text: str, rows: Rows | None, start: float, end: float
    ) -> tuple[Alternative, ...]:
        if rows is None or self._beam_decoder is None:
            return ()
        number = self._alternatives
        found = self._beam_decoder.decode(rows, self._seconds, alternatives=number)
        return tuple(
            Alternative(other, score, start, end)
            for other, score in led_by(text, found.alternatives, number)
        )
