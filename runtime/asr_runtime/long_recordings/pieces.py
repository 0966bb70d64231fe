"""The transcript of a recording of any length, in memory that does not grow with it."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_source import AudioBlocks
from asr_runtime.audio.samples import check_duration
from asr_runtime.audio.waveform import Waveform, WaveformStream, to_waveform
from asr_runtime.inference.session import ModelSession
from asr_runtime.long_recordings.joining import join
from asr_runtime.long_recordings.stitching import SeamConfig, stitch
from asr_runtime.long_recordings.windows import OVERLAP_SECONDS, WINDOW_SECONDS, Window, cut_windows
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_runtime.transcript import Transcript

Samples = npt.NDArray[np.float32]

LONG_SECONDS = 60.0
"""Longer audio is read in windows and decoded as sentences; other audio is one of both."""

# Of the overlap, what stays with the better window; without characters in either, a pause; frames
# around a seam in which the windows should agree.
_MARGIN_SECONDS, _PAUSE_SECONDS, _REACH_SECONDS = 1.0, 0.24, 0.15


class Pieces:
    """Iterating gives the transcript in pieces, as they are found, once.

    Audio of at most `LONG_SECONDS` is one piece. Of longer audio every sentence is one; if it holds
    no words there is none. `duration` (seconds) and `confidence` are those of all audio so far.

    audio: what to transcribe.
    decode: makes a transcript of short audio.
    decoder: finds the sentences of long audio.
    progress: called with the seconds of long audio that are done, every few of them.

    Iterating raises what reading the audio does, and AudioContentError.
    """

    def __init__(
        self,
        audio: AudioBlocks,
        session: ModelSession,
        decode: Callable[[Waveform], Transcript],
        decoder: SentenceDecoder,
        progress: Callable[[float], None] | None = None,
        *,
        long_seconds: float = LONG_SECONDS,
    ) -> None:
        self._audio = audio
        self._blocks = audio.blocks()
        self._session = session
        self._decode = decode
        self._decoder = decoder
        self._progress = progress
        self._long_seconds = long_seconds
        self.duration = 0.0
        self.confidence = 0.0
        self._tokens = _GeometricMean()
        self._silence = _GeometricMean()

    def short(self) -> Waveform | None:
        """Read the beginning; gives all of it if that is the whole audio."""
        rate = self._audio.sample_rate
        begin: list[Samples] = []
        for block in self._blocks:
            begin.append(block)
            if sum(map(len, begin)) > self._long_seconds * rate:
                self._blocks = chain(_emptied(begin), self._blocks)
                return None
        samples = np.concatenate(begin) if begin else np.zeros(0, np.float32)
        return to_waveform(samples, rate, self._session.card.sample_rate)

    def __iter__(self) -> Iterator[Transcript]:
        waveform = self.short()
        if waveform is None:
            yield from self._sentences()
            return
        transcript = self._decode(waveform)
        self.duration, self.confidence = transcript.duration, transcript.confidence
        yield transcript

    def joined(self) -> Transcript:
        """All of them as one transcript."""
        pieces = iter(self)
        first = next(pieces, None)
        if first is not None and not self._tokens.number:
            return first  # of short audio
        text, tokens = join(pieces if first is None else chain([first], pieces))
        return Transcript(text, self.confidence, tokens, self.duration)

    def _sentences(self) -> Iterator[Transcript]:
        card, heads = self._session.card, self._session.heads
        stream = WaveformStream(self._audio.sample_rate, card.sample_rate)
        done = 0
        for log_probs in self._log_probs(_resampled(self._blocks, stream)):
            blank = heads.heard(log_probs)[:, heads.blank]
            self._silence.add(float(blank.sum(dtype=float)), len(log_probs))
            yield from self._counted(self._decoder.feed(log_probs), done * card.seconds_per_frame)
            done += len(log_probs)
            if self._progress is not None:
                self._progress(min(done * card.seconds_per_frame, stream.duration))
        check_duration(stream.duration)
        yield from self._counted(self._decoder.finish(stream.duration), stream.duration)

    def _counted(self, sentences: Iterable[Transcript], duration: float) -> Iterator[Transcript]:
        self.duration = duration
        for sentence in sentences:
            if self._tokens.number:
                self._tokens.add(0.0, 1)  # the space between two sentences
            self._tokens.add(len(sentence.tokens) * _log(sentence.confidence), len(sentence.tokens))
            self.confidence = self._tokens.value
            yield sentence
        if not self._tokens.number:
            self.confidence = self._silence.value

    def _log_probs(self, samples: Iterable[Samples]) -> Iterator[Samples]:
        """Log-probabilities of all frames [frames, classes], in pieces."""
        card = self._session.card

        def frames(seconds: float) -> int:
            return max(1, round(seconds / card.seconds_per_frame))

        windows = cut_windows(
            samples, frames(WINDOW_SECONDS), frames(OVERLAP_SECONDS), card.frame_stride
        )
        config = SeamConfig(
            margin=frames(_MARGIN_SECONDS),
            pause=frames(_PAUSE_SECONDS),
            reach=frames(_REACH_SECONDS),
        )
        heads = self._session.heads
        return stitch(self._read(windows), heads.blank, config, heads.heard)

    def _read(self, windows: Iterator[Window]) -> Iterator[tuple[int, Samples]]:
        while batch := list(islice(windows, self._session.windows_per_run)):
            outputs = self._session.run([window.samples for window in batch])
            for window, log_probs in zip(batch, outputs, strict=True):
                yield window.first_frame, log_probs


class _GeometricMean:
    def __init__(self) -> None:
        self._total = 0.0
        self.number = 0

    def add(self, logarithms: float, number: int) -> None:
        self._total += logarithms
        self.number += number

    @property
    def value(self) -> float:
        return min(1.0, math.exp(self._total / self.number)) if self.number else 0.0


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0.0 else -math.inf


def _emptied(blocks: list[Samples]) -> Iterator[Samples]:
    """The blocks, each forgotten when it is given."""
    blocks.reverse()
    while blocks:
        yield blocks.pop()


def _resampled(blocks: Iterable[Samples], stream: WaveformStream) -> Iterator[Samples]:
    for block in blocks:
        yield stream.feed(block)
    yield stream.finish()
