"""Endless speech as sentences: log-probabilities in, piece by piece, transcripts out."""

from collections.abc import Sequence

import numpy as np

from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.greedy import WORD_BOUNDARY
from asr_runtime.decoding.heads import Heads, Rows
from asr_runtime.sentences.beam_sentence import BeamSentence
from asr_runtime.sentences.endpoint_config import EndpointConfig
from asr_runtime.sentences.greedy_sentence import GreedySentence
from asr_runtime.sentences.pauses import PauseFinder
from asr_runtime.sentences.sentence_search import Partial, SentenceSearch
from asr_runtime.transcript import Token, Transcript, geometric_mean


class SentenceDecoder:
    """Cuts frames into sentences at pauses and decodes them, greedy or beam, as they come.

    beam_decoder: None decodes greedily. Several decoders, also in several threads, may share one.
    vocabulary: the text of each class; `blank_id` is the blank's.
    seconds_per_frame: how far apart frames are.
    endpoint: what ends a sentence.

    Results do not depend on how the frames were divided into pieces, and neither memory nor the
    time for a piece grows with their number, unless both times of `endpoint` are infinite.

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
    ) -> None:
        vocabulary = tuple(vocabulary)
        self._heads = Heads(len(vocabulary), blank_id)
        if beam_decoder is not None:
            self._heads = beam_decoder.heads
        self._seconds = seconds_per_frame
        self._pauses = PauseFinder(endpoint or EndpointConfig(), seconds_per_frame)
        self._search: SentenceSearch = (
            GreedySentence(vocabulary, blank_id, seconds_per_frame)
            if beam_decoder is None
            else BeamSentence(beam_decoder, seconds_per_frame)
        )
        self._silent = [self._heads.blank]
        if not self._heads.phonemes and WORD_BOUNDARY in vocabulary:
            self._silent.append(vocabulary.index(WORD_BOUNDARY))
        self._waiting = np.zeros((0, self._heads.width), np.float32)

    @property
    def start(self) -> float:
        """Where the sentence that is being spoken begins, in seconds."""
        return self._search.begin * self._seconds

    @property
    def duration(self) -> float:
        """Seconds of all frames fed so far."""
        return (self._search.frames + len(self._waiting)) * self._seconds

    def feed(self, rows: Rows) -> list[Transcript]:
        """Decode the next frames.

        rows: natural-log probabilities [frames, classes], any number of frames; those of phonemes
            beside them where the beam decoder takes them.

        Returns the sentences that these frames finished, in order. Times are seconds from the start
        of the first frame ever fed. A sentence's `start` and `duration` are those of the audio that
        was searched for it, which begins and ends in the pauses around it.

        Raises ValueError if the shape does not fit.
        """
        self._heads.check(rows)
        silent = np.isin(self._heads.heard(rows).argmax(axis=1), self._silent)
        frames = np.concatenate((self._waiting, rows))
        done, seen = 0, len(self._waiting)
        sentences: list[Transcript] = []
        for is_silent in silent.tolist():
            seen += 1
            self._pauses.add(is_silent)
            if not (self._pauses.ended or self._pauses.overlong):
                continue
            waiting = self._pauses.waiting
            self._search.advance(frames[done : seen - waiting])
            done = seen - waiting
            begin = self._search.begin
            if self._pauses.ended:
                tokens = self._search.end()
                self._pauses.restart(waiting, waiting)
            else:
                tokens = self._search.split()
                self._pauses.restart(self._search.frames - self._search.begin + waiting, waiting)
            sentences += self._sentence(tokens, begin)
        ready = seen - self._pauses.waiting
        self._search.advance(frames[done:ready])
        self._waiting = frames[ready:].copy()
        return sentences

    def partial(self) -> Partial:
        """The sentence that is being spoken."""
        return self._search.partial()

    def finish(self, duration: float) -> list[Transcript]:
        """Decode what is left when the audio ends; call nothing after it.

        duration: of all audio, in seconds. The last frame reaches past its end; no time does.

        Returns the last sentence, or nothing.
        """
        self._search.advance(self._waiting)
        begin = self._search.begin
        return self._sentence(self._search.end(), begin, duration)

    def _sentence(
        self, tokens: tuple[Token, ...], begin: int, duration: float | None = None
    ) -> list[Transcript]:
        if not tokens:
            return []
        start, end = begin * self._seconds, self._search.begin * self._seconds
        if duration is not None:
            start, end = min(start, duration), duration
            tokens = tuple(
                Token(
                    token.text,
                    min(token.start, duration),
                    min(token.end, duration),
                    token.confidence,
                )
                for token in tokens
            )
        return [
            Transcript(
                text="".join(token.text for token in tokens),
                confidence=geometric_mean([token.confidence for token in tokens]),
                tokens=tokens,
                duration=end - start,
                start=start,
            )
        ]
