"""Whole recordings to transcripts: at once, in segments as they are found, or many together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_source import Audio, AudioBlocks, open_source
from asr_runtime.audio.samples import check_duration
from asr_runtime.audio.waveform import Waveform, WaveformStream
from asr_runtime.decoding.calibration import calibrated, shifted
from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.greedy import greedy_decode
from asr_runtime.inference.model_session import ModelSession
from asr_runtime.recordings.forced_alignment import Alignment, align_text, spell
from asr_runtime.recordings.reading import LONG_SECONDS, iter_log_probs, read_recording, resampled
from asr_runtime.sentences.endpointing import EndpointConfig
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_runtime.timed_text import Alternative, Word, clipped, geometric_mean
from asr_runtime.transcript import Transcript

GROUP_SECONDS = 1800.0
"""Audio in which `RecordingTranscriber.batch` looks for similar lengths: 115 MB at 16 kHz."""


class RecordingTranscriber:
    """Transcribes recordings with one model and one decoder; threads may share it.

    Attributes:
        decoding: How it decodes, one of ``phonemes``, ``letters`` and ``greedy``.
    """

    def __init__(
        self,
        session: ModelSession,
        beam_decoder: AnyDecoder | None,
        alternatives: int = 1,
        calibrated: bool = True,
    ) -> None:
        """Take the two halves of a recogniser.

        Args:
            session: The acoustic model; it gives what the decoder searches.
            beam_decoder: The beam search; None decodes greedily.
            alternatives: How many texts of each segment a beam search finds.
            calibrated: Whether what the model's card says corrects times and confidences.
        """
        self._alternatives = alternatives
        self._session = session
        self._card = session.card
        self._beam_decoder = beam_decoder
        self.decoding = "greedy"
        if beam_decoder is not None:
            self.decoding = "phonemes" if beam_decoder.heads.phonemes else "letters"
        self._calibrations = session.card.calibration if calibrated else {}
        self._calibration = self._calibrations.get(self.decoding)

    def sentence_decoder(
        self, endpoint: EndpointConfig | None, alternatives: int | None = None
    ) -> SentenceDecoder:
        """Return a decoder of endless speech.

        Args:
            endpoint: What ends a sentence.
            alternatives: How many texts of each sentence; None for as many as of other segments.
        """
        card = self._card
        return SentenceDecoder(
            self._beam_decoder,
            card.vocabulary,
            card.blank_id,
            card.seconds_per_frame,
            endpoint,
            self._calibration,
            alternatives or self._alternatives,
        )

    def segments(
        self,
        audio: AudioBlocks,
        endpoint: EndpointConfig | None = None,
        progress: Callable[[float], None] | None = None,
        long_seconds: float = LONG_SECONDS,
    ) -> Iterator[Transcript]:
        """Transcribe a recording in segments, as they are found; see `Recognizer.segments`.

        Args:
            audio: The recording, of which nothing was read yet.
            endpoint: What ends a sentence of a long recording.
            progress: Called with the seconds of a long recording that are done.
            long_seconds: The longest recording that is one segment.

        Yields:
            Transcripts in order, to the end of the recording.

        Raises:
            AudioFileError: The recording cannot be read.
            AudioContentError: There is no audio, or what is none.
        """
        recording = read_recording(audio, self._card.sample_rate, long_seconds)
        if isinstance(recording, Waveform):
            yield self._decode([recording])[0]
        else:
            yield from self._sentences(recording, audio, endpoint, progress)

    def align(self, audio: AudioBlocks, text: str) -> Alignment:
        """Find when the words of a known text were spoken; see `Recognizer.align`.

        Args:
            audio: The recording, of which nothing was read yet.
            text: What is said in it.

        Raises:
            AlignmentError: Text and audio cannot be aligned.
            AudioFileError: The recording cannot be read.
            AudioContentError: There is no audio, or what is none.
        """
        card, heads = self._card, self._session.heads
        spelled = spell(text, card.vocabulary)
        recording = read_recording(audio, card.sample_rate)
        heard: list[Word] = []
        if isinstance(recording, Waveform):
            rows = self._session.run_all([recording.samples])[0]
            duration = recording.duration
        else:
            decoder = self.sentence_decoder(None, alternatives=1)
            stream = WaveformStream(audio.sample_rate, card.sample_rate)
            parts = []
            for part in iter_log_probs(self._session, resampled(recording, stream)):
                parts.append(part)
                heard += [word for sentence in decoder.feed(part) for word in sentence.words]
            duration = stream.duration
            heard += [word for last in decoder.finish(duration) for word in last.words]
            rows = np.concatenate(parts)
        found = align_text(
            heads.spelled(rows),
            spelled,
            card.blank_id,
            card.vocabulary,
            card.seconds_per_frame,
            heard,
            duration,
        )
        calibration = self._calibrations.get("letters") or self._calibrations.get("greedy")
        return replace(found, words=shifted(found.words, calibration, duration))

    def batch(self, items: Iterable[Audio]) -> list[Transcript]:
        """Transcribe many recordings; see `Recognizer.transcribe_batch`.

        Args:
            items: Paths, or pairs of samples and sample rate.

        Returns:
            Transcripts in the order of the items.

        Raises:
            AudioFileError: An item cannot be read.
            AudioContentError: An item holds no audio, or what is none.
        """
        transcripts: list[Transcript] = []
        group: list[Waveform | Transcript] = []
        for index, item in enumerate(items):
            group.append(self._prepared(item, index))
            if sum(entry.duration for entry in group) >= GROUP_SECONDS:
                transcripts += self._group(group)
                group = []
        return transcripts + self._group(group)

    def _group(self, prepared: Sequence[Waveform | Transcript]) -> list[Transcript]:
        """Return transcripts of items, of which the long ones are transcripts already."""
        decoded = iter(self._decode([item for item in prepared if isinstance(item, Waveform)]))
        return [next(decoded) if isinstance(item, Waveform) else item for item in prepared]

    def _prepared(self, item: Audio, index: int) -> Waveform | Transcript:
        with open_source(item, f"item {index}") as audio:
            recording = read_recording(audio, self._card.sample_rate)
            if isinstance(recording, Waveform):
                return recording
            return Transcript.join(self._sentences(recording, audio))

    def _decode(self, waveforms: Sequence[Waveform]) -> list[Transcript]:
        """Return the transcripts of utterances, which run together where they can."""
        card, decoder = self._card, self._beam_decoder
        log_probs = None if decoder is None else decoder.word_log_probs
        outputs = self._session.run_all([waveform.samples for waveform in waveforms])
        transcripts = []
        for waveform, rows in zip(waveforms, outputs, strict=True):
            decoding = (
                greedy_decode(rows, card.vocabulary, card.blank_id, card.seconds_per_frame)
                if decoder is None
                else decoder.decode(rows, card.seconds_per_frame, alternatives=self._alternatives)
            )
            tokens = clipped(decoding.tokens, waveform.duration)
            tokens = calibrated(tokens, self._calibration, word_log_probs=log_probs)
            confidence = decoding.confidence
            if tokens and self._calibration is not None:
                confidence = geometric_mean([token.confidence for token in tokens])
            transcripts.append(
                Transcript(
                    decoding.text,
                    confidence,
                    tokens,
                    waveform.duration,
                    warnings=waveform.warnings,
                    alternatives=tuple(
                        Alternative(text, score, 0.0, waveform.duration)
                        for text, score in decoding.alternatives
                    ),
                )
            )
        return transcripts

    def _sentences(
        self,
        recording: Iterator[npt.NDArray[np.float32]],
        audio: AudioBlocks,
        endpoint: EndpointConfig | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Transcript]:
        """Yield the sentences of a long recording, and what follows the last one."""
        decoder = self.sentence_decoder(endpoint)
        stream = WaveformStream(audio.sample_rate, self._card.sample_rate)
        for rows in iter_log_probs(self._session, resampled(recording, stream)):
            yield from decoder.feed(rows)
            if progress is not None:
                progress(min(decoder.duration, stream.duration))
        check_duration(stream.duration)
        *others, last = decoder.finish(stream.duration) or [decoder.silence(stream.duration)]
        yield from others
        yield replace(last, warnings=(*audio.warnings, *stream.warnings))
