"""Live transcripts: samples in as they are recorded, text out while they are spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.channels import MIX, Channels
from asr_runtime.audio.level import LIVE_LOOKAHEAD_SECONDS
from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.audio.waveform import WaveformStream
from asr_runtime.errors import ModelFileError, StreamError
from asr_runtime.inference.session import ModelSession
from asr_runtime.model_file.contract import ALL_FRAMES
from asr_runtime.model_file.model_card import ModelCard, StreamingCard
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_runtime.timed_text import SECONDS_DIGITS
from asr_runtime.transcript import Transcript

if TYPE_CHECKING:
    from asr_runtime.readable_text.readable_transcripts import ReadableStream


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What is known of a sentence at some moment.

    Attributes:
        text: Text of the sentence so far.
        stable: The beginning of ``text`` that will not change any more; all later results of the
            same sentence begin with it.
        is_final: Whether the sentence has ended. The next result belongs to the next sentence.
        start: Where the sentence begins, in seconds from the beginning of the stream.
        duration: Length of the audio that the text covers, in seconds.
        transcript: Of a sentence that has ended, else None; its times are seconds from the
            beginning of the stream.
    """

    text: str
    stable: str
    is_final: bool
    start: float
    duration: float
    transcript: Transcript | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; the transcript's values, if there is one, beside the others."""
        known = {} if self.transcript is None else self.transcript.to_dict()
        return {
            "is_final": self.is_final,
            "stable": self.stable,
            "text": self.text,
            "start": round(self.start, SECONDS_DIGITS),
            "duration": round(self.duration, SECONDS_DIGITS),
            **known,
        }


class LiveStream:
    """One stream of audio through a recogniser; `Recognizer.stream` makes it.

    The audio goes through the model in chunks, each with some audio after it that the model looks
    ahead at: latency-controlled bidirectional recurrence (Y. Zhang et al. 2016, arXiv:1510.08983).

    Results do not depend on how the samples were divided. Streams of one recogniser are independent
    of each other, each with one thread at a time.

    Examples:
        >>> import soundfile
        >>> from asr_runtime import Recognizer
        >>> samples, rate = soundfile.read("runtime/demo/demo.flac", dtype="float32")
        >>> stream = Recognizer.load().stream(rate)
        >>> results = []
        >>> for begin in range(0, len(samples), 1600):
        ...     results += stream.feed(samples[begin : begin + 1600])
        >>> results += stream.finish()
        >>> results[-1].is_final, results[-1].text[:11]
        (True, 'the old man')
    """

    def __init__(
        self,
        session: ModelSession,
        decoder: SentenceDecoder,
        sample_rate: float,
        chunk_ms: float | None = None,
        lookahead_ms: float | None = None,
        channels: Channels = MIX,
        sample_format: SampleFormat | None = None,
        readable: ReadableStream | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            session: The acoustic model.
            decoder: Finds the sentences.
            sample_rate: Of the samples that will be fed, in Hz.
            chunk_ms: Milliseconds of audio that go through the model at a time; None for the
                model's own.
            lookahead_ms: Milliseconds of audio after them that the model waits for; None for the
                model's own.
            channels: MIX, or the number of the channel to transcribe, from 1 on.
            sample_format: How samples lie in bytes, if bytes are fed.
            readable: Makes the text readable; None leaves it as it was recognised.

        Raises:
            ModelFileError: The model was not exported for streaming.
            AudioContentError: The sample rate is impossible.
            StreamError: The milliseconds are impossible.
        """
        card, streaming = session.card, streaming_card(session)
        self._session = session
        self._decoder = decoder
        self._stride = card.frame_stride
        self._sample_rate = card.sample_rate
        self._context_frames = streaming.context_frames
        self._chunk_frames = _frames(card, "chunk_ms", chunk_ms, streaming.chunk_frames, 1)
        self._lookahead_frames = _frames(
            card, "lookahead_ms", lookahead_ms, streaming.lookahead_frames, 0
        )
        self._audio = WaveformStream(
            sample_rate, card.sample_rate, channels, LIVE_LOOKAHEAD_SECONDS, sample_format
        )
        self._state = np.zeros(streaming.state_shape, np.float32)
        # Samples from the context of the next chunk on, in the pieces they came in.
        self._pieces: list[npt.NDArray[np.float32]] = []
        self._waiting = 0
        self._position = 0
        self._shown = ""
        self._readable = readable
        self._finished = False

    @property
    def latency(self) -> float:
        """Longest time in seconds from a sound until all samples that its text needs have come."""
        frames = self._chunk_frames + self._lookahead_frames
        return frames * self._stride / self._sample_rate

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the audio although it could be transcribed; complete at the end."""
        return tuple(self._audio.warnings)

    def feed(self, samples: npt.ArrayLike) -> list[StreamResult]:
        """Transcribe the next samples, any number of them.

        Args:
            samples: As `Recognizer.transcribe` takes them, [samples] or [samples, channels]; or
                bytes, which may be divided anywhere.

        Returns:
            A result for each sentence that ended, and for each chunk that changed the text of the
            one being spoken, in order.

        Raises:
            StreamError: The stream is finished.
            AudioContentError: The samples are no audio; they are left out.
            AudioFileError: Bytes are those of a file.
            TypeError: They are no samples at all.
        """
        if self._finished:
            raise StreamError("the stream is finished; start another one for more audio")
        self._append(self._audio.feed(samples))
        # Up to one sample before a frame's centre: with it, the model would add that frame, from
        # half a window of audio.
        window = (self._chunk_frames + self._lookahead_frames) * self._stride - 1
        results: list[StreamResult] = []
        begin = 0
        while self._waiting - begin >= (length := self._context * self._stride + window):
            context = self._context
            results += self._chunk(self._joined()[begin : begin + length], self._chunk_frames)
            begin += (context + self._chunk_frames - self._context) * self._stride
        if begin:
            self._pieces = [self._joined()[begin:].copy()]
            self._waiting -= begin
        return results

    def finish(self) -> list[StreamResult]:
        """Transcribe the rest when the audio has ended. Nothing can be fed after it.

        Returns:
            The last results, in order.

        Raises:
            StreamError: The stream is finished already.
        """
        if self._finished:
            raise StreamError("the stream is finished already")
        self._finished = True
        self._append(self._audio.finish())
        results: list[StreamResult] = []
        if self._waiting:
            results = self._chunk(self._joined(), ALL_FRAMES)
        results += map(self._final, self._decoder.finish(self._audio.duration))
        # What was shown last of a sentence that turned out to be none must not stay.
        if self._shown and not any(result.is_final for result in results):
            end = self._audio.duration
            results.append(StreamResult("", "", is_final=False, start=end, duration=0.0))
        return results

    @property
    def _context(self) -> int:
        """Frames of audio before the next chunk that are kept."""
        return min(self._position, self._context_frames)

    def _append(self, samples: npt.NDArray[np.float32]) -> None:
        if len(samples):
            self._pieces.append(samples)
            self._waiting += len(samples)

    def _joined(self) -> npt.NDArray[np.float32]:
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0]

    def _chunk(self, samples: npt.NDArray[np.float32], frames: int) -> list[StreamResult]:
        log_probs, self._state = self._session.run_chunk(
            samples, self._context, frames, self._state
        )
        if len(log_probs) != frames and frames != ALL_FRAMES:
            raise ModelFileError(
                f"returned {len(log_probs)} frames of a chunk of {frames}; export it again",
                str(self._session.path),
            )
        self._position += len(log_probs)
        results = [self._final(sentence) for sentence in self._decoder.feed(log_probs)]
        if results:
            self._shown = ""
        partial = self._decoder.partial()
        if partial.text != self._shown:
            start = self._decoder.start
            text, stable = partial.text, partial.stable
            if self._readable is not None:
                text, stable = self._readable.partial(text, stable)
            results.append(
                StreamResult(
                    text,
                    stable,
                    is_final=False,
                    start=start,
                    duration=self._decoder.duration - start,
                )
            )
            self._shown = partial.text
        return results

    def _final(self, sentence: Transcript) -> StreamResult:
        if self._readable is not None:
            sentence = self._readable.final(sentence)
        return StreamResult(
            sentence.text,
            sentence.text,
            is_final=True,
            start=sentence.start,
            duration=sentence.duration,
            transcript=sentence,
        )


def streaming_card(session: ModelSession) -> StreamingCard:
    """Return how to stream a model.

    Args:
        session: The model.

    Returns:
        What its card says about streaming.

    Raises:
        ModelFileError: It was not exported for streaming.
    """
    if session.card.streaming is None:
        raise ModelFileError(
            "cannot stream; export it with: asr-export onnx … --streaming", str(session.path)
        )
    return session.card.streaming


def _frames(
    card: ModelCard, name: str, milliseconds: float | None, default: int, least: int
) -> int:
    if milliseconds is None:
        return default
    frame_ms = 1000 * card.seconds_per_frame
    # Also false for NaN.
    if not least * frame_ms <= milliseconds <= 60_000:
        raise StreamError(
            f"{name} must be {least * frame_ms:g} to 60000 milliseconds, not {milliseconds!r}"
        )
    return round(milliseconds / frame_ms)
