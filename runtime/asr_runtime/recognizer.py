"""The front door: audio in, transcripts out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_file import AudioFile
from asr_runtime.audio.audio_source import (
    Audio,
    AudioBlocks,
    OneChannel,
    open_source,
    opened_source,
    to_source,
)
from asr_runtime.audio.channels import MIX, Channels, checked_channels
from asr_runtime.decoding.alternatives import checked_alternatives
from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.decoder_choice import DECODERS, check_decoder_name, load_decoder
from asr_runtime.errors import DecoderError, ModelFileError
from asr_runtime.inference.session import ModelSession, load_session, return_freed_memory
from asr_runtime.language.hotword import hotword_entries
from asr_runtime.language.language_model import LanguageModel
from asr_runtime.language.language_model_file import DEFAULT_LANGUAGE_MODEL
from asr_runtime.model_file.model_card import ModelCard
from asr_runtime.recordings.forced_alignment import Alignment
from asr_runtime.recordings.transcriber import RecordingTranscriber
from asr_runtime.sentences.endpointing import EndpointConfig
from asr_runtime.transcript import Transcript

if TYPE_CHECKING:
    from asr_runtime.live.live_stream import LiveStream
    from asr_runtime.readable_text.readable_transcripts import ReadableText

__all__ = ["DECODERS", "DEFAULT_LANGUAGE_MODEL", "DEFAULT_MODEL", "Recognizer"]

DEFAULT_MODEL = Path(__file__).parent / "models" / "edge.onnx"


class Recognizer:
    """A speech recogniser, which threads may share.

    Examples:
        >>> from asr_runtime import Recognizer
        >>> recognizer = Recognizer.load()
        >>> transcript = recognizer.transcribe("runtime/demo/demo.flac")
        >>> transcript.text[:30]
        'the old man sat by the window '
    """

    def __init__(
        self,
        session: ModelSession,
        beam_decoder: AnyDecoder | None = None,
        readable: ReadableText | None = None,
        alternatives: int = 1,
        calibrated: bool = True,
    ) -> None:
        """Put a recogniser together; `load` does it from files.

        Args:
            session: The acoustic model.
            beam_decoder: The beam search; None decodes greedily.
            readable: Makes text readable; None leaves it as it was recognised.
            alternatives: How many texts of each segment a beam search finds.
            calibrated: Whether what the model's card says corrects times and confidences.
        """
        self._session = session
        self._readable = readable
        if beam_decoder is not None and beam_decoder.heads.phonemes:
            self._session = session.with_phonemes()
        self._beam_decoder = beam_decoder
        self._alternatives = alternatives
        self._calibrated = calibrated
        self._recordings = RecordingTranscriber(
            self._session, beam_decoder, alternatives, calibrated
        )

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        device: str = "auto",
        threads: int | None = None,
        decoder: str | None = None,
        language_model: str | os.PathLike[str] | None = None,
        hotwords: Iterable[str] | None = (),
        beam: BeamConfig | None = None,
        punctuate: bool | str | os.PathLike[str] = False,
        numbers: bool = False,
        alternatives: int = 1,
        calibrated: bool = True,
    ) -> Recognizer:
        """Load a model, and a language model to decode with.

        Args:
            model: An ONNX file that asr-export wrote, or None for the one in this package.
            device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for CUDA where it works and the CPU
                otherwise.
            threads: CPU threads of the model, None for one on each CPU that the process may use.
            decoder: ``"beam"`` searches for the words that fit the sound and the language;
                ``"greedy"`` takes the best character at each moment, which is quicker. None is beam
                for the default model and if one of the arguments below is given, else greedy.
            language_model: A file that ``asr-train language-model`` wrote, or None for the English
                one in this package.
            hotwords: Words or phrases that the beam search should prefer, such as names; each with
                its sounds, as in ``Panayotov=P AA N AH Y OW T AO F``, or without, and with a
                weight, as in ``New York:2``, or without. `with_hotwords` changes them.
            beam: Settings of the beam search; `for_phonemes` says what becomes of them in a search
                by phonemes.
            punctuate: Whether texts have commas, full stops, question marks and capital letters; or
                the file of a punctuation model that ``asr-train punctuation`` wrote. The
                recognised words stay in `Transcript.words`.
            numbers: Whether texts have digits instead of number words.
            alternatives: How many of the best texts of each segment `Transcript.alternatives` has,
                1 to 100. The greedy decoder knows one alone. More than one take time.
            calibrated: Whether the times and confidences of words are corrected by what
                ``asr-train calibrate`` found for the model; if not, they are the decoder's own.

        Returns:
            The recogniser.

        Raises:
            ModelFileError: The model is missing or cannot be used.
            LanguageModelError: The language model is missing or cannot be used.
            DeviceError: The device cannot be used. ``"cuda"`` never falls back to the CPU.
            DecoderError: The decoder does not exist, or settings or hotwords do not fit it.

        Warns:
            DeviceWarning: ``"auto"`` found a CUDA build of ONNX Runtime that does not work.
        """
        path = DEFAULT_MODEL if model is None else Path(model)
        if model is None and not path.exists():
            raise ModelFileError(
                "this installation has no default model; name a model file, or install asr-runtime "
                "from a release",
                str(path),
            )
        hotwords = hotword_entries(hotwords)
        needs_beam = language_model is not None or beam is not None or bool(hotwords)
        needs_beam = checked_alternatives(alternatives) > 1 or needs_beam
        if decoder is None:
            packaged = model is None and DEFAULT_LANGUAGE_MODEL.exists()
            decoder = "beam" if needs_beam or packaged else "greedy"
        check_decoder_name(decoder, needs_beam)
        session = load_session(path, device=device, threads=threads)
        return_freed_memory()
        readable: ReadableText | None = None
        if punctuate or numbers:
            from asr_runtime.readable_text.readable_transcripts import load_readable_text

            readable = load_readable_text(punctuate, numbers=numbers)
        if decoder == "greedy":
            return cls(session, readable=readable, calibrated=calibrated)
        beam_decoder = load_decoder(language_model, session.card, hotwords, beam)
        return_freed_memory()
        return cls(session, beam_decoder, readable, alternatives, calibrated)

    def with_hotwords(self, hotwords: Iterable[str] | None) -> Recognizer:
        """Return a recogniser that listens for other words: for one call, one stream, one speaker.

        It shares the models with this one, which stays as it is. A few hotwords take a tenth of a
        second, ten thousand about one.

        Args:
            hotwords: Words or phrases as in `load`, instead of this recogniser's; none if None.

        Returns:
            The recogniser.

        Raises:
            DecoderError: Decoding is greedy, or a hotword cannot be recognised.

        Examples:
            >>> from asr_runtime import Recognizer
            >>> recognizer = Recognizer.load()
            >>> named = recognizer.with_hotwords(["Panayotov", "New York:2"])
            >>> transcript = named.transcribe("runtime/demo/demo.flac")
        """
        entries = hotword_entries(hotwords)
        if self._beam_decoder is None:
            raise DecoderError("the greedy decoder takes no hotwords; load with decoder='beam'")
        decoder = self._beam_decoder.with_hotwords(entries)
        return Recognizer(
            self._session, decoder, self._readable, self._alternatives, self._calibrated
        )

    def with_alternatives(self, number: int) -> Recognizer:
        """Return a recogniser that finds more texts of each segment, or fewer.

        It shares everything with this one, which stays as it is.

        Args:
            number: How many of the best texts `Transcript.alternatives` has, as in `load`.

        Returns:
            The recogniser.

        Raises:
            DecoderError: Decoding is greedy, or the number is out of its range.
        """
        if checked_alternatives(number) > 1 and self._beam_decoder is None:
            raise DecoderError("the greedy decoder knows one text; load with decoder='beam'")
        return Recognizer(
            self._session, self._beam_decoder, self._readable, number, self._calibrated
        )

    @property
    def card(self) -> ModelCard:
        """What the model says about itself."""
        return self._session.card

    @property
    def provider(self) -> str:
        """ONNX Runtime's name for the device in use, such as ``"CPUExecutionProvider"``."""
        return self._session.provider

    @property
    def decoder(self) -> str:
        """The decoder in use, ``"greedy"`` or ``"beam"``."""
        return "greedy" if self._beam_decoder is None else "beam"

    @property
    def decoding(self) -> str:
        """How the decoder in use decodes: ``"greedy"``, or by ``"letters"`` or ``"phonemes"``."""
        return self._recordings.decoding

    @property
    def language_model(self) -> LanguageModel | None:
        """The language model in use; None if decoding is greedy."""
        return None if self._beam_decoder is None else self._beam_decoder.language_model

    @property
    def model_path(self) -> Path:
        """The model file in use."""
        return self._session.path

    @overload
    def transcribe(
        self, audio: AudioFile, *, channels: Channels = ..., accept_incomplete: bool = ...
    ) -> Transcript: ...

    @overload
    def transcribe(
        self, audio: npt.ArrayLike, sample_rate: float, *, channels: Channels = ...
    ) -> Transcript: ...

    def transcribe(
        self,
        audio: AudioFile | npt.ArrayLike,
        sample_rate: float | None = None,
        *,
        channels: Channels = MIX,
        accept_incomplete: bool = False,
    ) -> Transcript:
        """Transcribe a file or samples.

        The text of more than a minute is that of the sentences in it, as `transcribe_sentences`
        finds them.

        Args:
            audio: A path, the bytes of a file or a file that is open in binary mode; or samples
                [samples] or [samples, channels], float -1 to 1, uint8, int8, int16 or int32, with
                any number of channels; or, with a sample rate, bytes of 16-bit little-endian mono
                samples.
            sample_rate: Of the samples, in Hz; any will do. A file brings its own.
            channels: ``"mix"`` for all channels as one, or the number of one, from 1 on.
            accept_incomplete: Whether to transcribe what is there of a file that is cut off or
                damaged. The transcript's warnings then say what is missing.

        Returns:
            The transcript of the whole recording.

        Raises:
            AudioFileError: The file cannot be read; its path is the error's subject.
            AudioContentError: There is no audio, or what is none.
            TypeError: Samples have no sample rate, a file has one, or it is neither.
        """
        source = to_source(audio, sample_rate)
        segments = self.segments(source, channels=channels, accept_incomplete=accept_incomplete)
        return Transcript.join(segments)

    def transcribe_channels(
        self,
        audio: AudioFile | npt.ArrayLike,
        sample_rate: float | None = None,
        *,
        accept_incomplete: bool = False,
    ) -> list[Transcript]:
        """Transcribe every channel by itself, such as the two ends of a recorded call.

        Args:
            audio: See `transcribe`.
            sample_rate: Of the samples, in Hz; a file brings its own.
            accept_incomplete: See `transcribe`.

        Returns:
            One transcript for each channel; its ``channel`` is the number.

        Raises:
            AudioFileError: The file cannot be read; its path is the error's subject.
            AudioContentError: There is no audio, or what is none.
            TypeError: Samples have no sample rate, a file has one, or it is neither.
        """
        source = to_source(audio, sample_rate)
        with open_source(source, accept_incomplete=accept_incomplete) as blocks:
            return [
                Transcript.join(self.segments(OneChannel(blocks, number)))
                for number in range(1, blocks.channel_count + 1)
            ]

    def segments(
        self,
        audio: Audio | AudioBlocks,
        *,
        endpoint: EndpointConfig | None = None,
        progress: Callable[[float], None] | None = None,
        channels: Channels = MIX,
        accept_incomplete: bool = False,
    ) -> Iterator[Transcript]:
        """Transcribe a recording of any length in segments, as they are found.

        Audio of at most a minute is one segment. Longer audio is read in windows, and every
        sentence is a segment; if no words follow the last one, the rest is a segment without text,
        so that the last segment ends where the audio ends. `Transcript.join` makes one transcript
        of them. Memory does not grow with the recording.

        Args:
            audio: A path, the bytes of a file, a binary stream such as standard input, samples and
                their sample rate, or an `AudioReader` that is open already, which stays open.
            endpoint: What ends a sentence of long audio.
            progress: Called with the seconds of long audio that are done, every few of them.
            channels: See `transcribe`; what is open already has its own.
            accept_incomplete: See `transcribe`; what is open already has its own.

        Yields:
            Transcripts in order. Their times count from the recording's beginning.

        Raises:
            AudioFileError: The audio cannot be read.
            AudioContentError: There is no audio, or what is none. Both may be raised after some
                segments, which are then not all.
        """
        with opened_source(audio, channels, accept_incomplete) as blocks:
            channel = (
                blocks.channel if isinstance(blocks, OneChannel) else checked_channels(channels)
            )
            segments = self._recordings.segments(blocks, endpoint, progress)
            if self._readable is not None:
                segments = self._readable.segments(segments)
            for segment in segments:
                yield segment if channel is None else replace(segment, channel=channel)

    def transcribe_sentences(
        self,
        audio: Audio,
        *,
        endpoint: EndpointConfig | None = None,
        progress: Callable[[float], None] | None = None,
        channels: Channels = MIX,
        accept_incomplete: bool = False,
    ) -> Iterator[Transcript]:
        """Transcribe a recording of any length, sentence by sentence, as they are found.

        Unlike `segments`, it divides short audio into sentences too, and yields nothing but
        sentences.

        Args:
            audio: A path, the bytes of a file, a binary stream such as standard input, or samples
                and their sample rate.
            endpoint: What ends a sentence.
            progress: Called with the seconds of audio that are done, every few of them.
            channels: See `transcribe`.
            accept_incomplete: See `transcribe`.

        Yields:
            Sentences in order. Their times count from the recording's beginning.

        Raises:
            AudioFileError: The audio cannot be read.
            AudioContentError: There is no audio, or what is none. Both may be raised after some
                sentences, which are then not all.
        """
        with open_source(audio, channels=channels, accept_incomplete=accept_incomplete) as blocks:
            segments = self._recordings.segments(blocks, endpoint, progress, long_seconds=0.0)
            if self._readable is not None:
                segments = self._readable.segments(segments)
            yield from (segment for segment in segments if segment.tokens)

    def transcribe_batch(self, items: Iterable[Audio]) -> list[Transcript]:
        """Transcribe many utterances faster than one by one, with the same results.

        Args:
            items: Files, or pairs of samples and sample rate. Those of similar length run together,
                at most MAX_BATCH_SECONDS padded and MAX_BATCH_ITEMS of them at a time.

        Returns:
            Transcripts in the order of the items.

        Raises:
            AudioFileError: An item cannot be read; its path is the error's subject.
            AudioContentError: An item holds no audio, or what is none. The error's subject is the
                path or ``item <index>``.
        """
        transcripts = self._recordings.batch(items)
        if self._readable is None:
            return transcripts
        return [self._readable.transcript(transcript) for transcript in transcripts]

    def align(
        self,
        audio: Audio,
        text: str,
        *,
        channels: Channels = MIX,
        accept_incomplete: bool = False,
    ) -> Alignment:
        """Find when each word of a known text was spoken.

        Args:
            audio: A file, samples and their sample rate, or a binary stream.
            text: What is said in the audio, in any spelling of the model's letters; numbers as
                words. Of a recording of more than a minute the recogniser's own text finds the way.
            channels: MIX, or the number of the channel to align with, from 1 on.
            accept_incomplete: Whether a recording that was cut off will do.

        Returns:
            The words with their times, and how well they fit the audio.

        Raises:
            AlignmentError: The text has no words or characters that the model lacks, or a long part
                of the audio shares nothing with it.
            AudioFileError: The audio cannot be read.
            AudioContentError: There is no audio, or what is none.
        """
        with open_source(audio, channels=channels, accept_incomplete=accept_incomplete) as blocks:
            return self._recordings.align(blocks, text)

    def stream(
        self,
        sample_rate: float,
        *,
        chunk_ms: float | None = None,
        lookahead_ms: float | None = None,
        endpoint: EndpointConfig | None = None,
        channels: Channels = MIX,
        raw_format: str = "s16le",
    ) -> LiveStream:
        """Begin to transcribe audio while it is recorded.

        Args:
            sample_rate: Of the samples that will be fed, in Hz.
            chunk_ms: Audio that goes through the model at a time; None for what the model
                recommends.
            lookahead_ms: Audio after each chunk that it waits for; None for what the model
                recommends. Text comes at most both together after its sound. Less of either costs
                accuracy.
            endpoint: What ends a sentence.
            channels: See `transcribe`.
            raw_format: How samples lie in bytes, if bytes are fed: one of RAW_FORMATS, with ``:2``
                behind it for two channels.

        Returns:
            A stream that takes samples and gives text.

        Raises:
            ModelFileError: The model was not exported for streaming.
            AudioContentError: The sample rate is impossible.
            StreamError: The milliseconds are impossible.
        """
        # Imported here because files have no need of it.
        from asr_runtime.live.live_stream import LiveStream

        decoder = self._recordings.sentence_decoder(endpoint)
        readable = None if self._readable is None else self._readable.stream()
        sample_format = None
        if raw_format != "s16le":
            from asr_runtime.audio import sample_format as formats

            sample_format = formats.raw_format(raw_format, sample_rate)
        return LiveStream(
            self._session,
            decoder,
            sample_rate,
            chunk_ms,
            lookahead_ms,
            channels=channels,
            sample_format=sample_format,
            readable=readable,
        )

    def log_probs(
        self, samples: Sequence[npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float32]]:
        """Run waveforms through the model without decoding.

        Args:
            samples: Mono float32 waveforms [samples] at ``card.sample_rate``, -1 to 1, at least one
                sample each.

        Returns:
            Natural-log probabilities, float32 [frames, classes], for each, in the same order.
            Frames are ``card.seconds_per_frame`` apart.

        Raises:
            ValueError: A waveform has another shape.
            AudioContentError: Memory does not suffice.
        """
        for waveform in samples:
            if waveform.ndim != 1 or not len(waveform):
                raise ValueError(f"give waveforms [samples], not {list(waveform.shape)}")
        return [self._session.heads.spelled(rows) for rows in self._session.run_all(samples)]
