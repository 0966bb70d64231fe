"""The front door: audio in, transcripts out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from asr_runtime.audio import read_audio
from asr_runtime.beam_config import BeamConfig
from asr_runtime.beam_decoder import BeamDecoder
from asr_runtime.decoding import Decoding, greedy_decode
from asr_runtime.endpoint_config import EndpointConfig
from asr_runtime.errors import AsrRuntimeError, DecoderError, LanguageModelError, ModelFileError
from asr_runtime.language_model import read_language_model
from asr_runtime.live_stream import LiveStream
from asr_runtime.model_card import ModelCard
from asr_runtime.sentence_decoder import SentenceDecoder
from asr_runtime.session import ModelSession, load_session
from asr_runtime.transcript import Token, Transcript
from asr_runtime.waveform import Waveform, to_waveform

AudioPath: TypeAlias = str | os.PathLike[str]
Audio: TypeAlias = AudioPath | tuple[npt.ArrayLike, float]
"""A file, or samples and their sample rate."""

DEFAULT_MODEL = Path(__file__).parent / "models" / "edge.onnx"
DEFAULT_LANGUAGE_MODEL = Path(__file__).parent / "models" / "english.lm"

DECODERS = ("greedy", "beam")

MAX_BATCH_SECONDS = 60.0
"""Padded audio in one run of the model, which bounds memory; a longer utterance runs alone."""

MAX_BATCH_ITEMS = 32

WINDOW_SECONDS = 1800.0
"""Audio that `transcribe_batch` holds at a time (115 MB at 16 kHz) to find similar lengths in."""


class Recognizer:
    """A speech recogniser.

    >>> recognizer = Recognizer.load()
    >>> recognizer.transcribe("speech.wav").text

    Threads may share one.
    """

    def __init__(self, session: ModelSession, beam_decoder: BeamDecoder | None = None) -> None:
        self._session = session
        self._beam_decoder = beam_decoder

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        device: str = "auto",
        threads: int | None = None,
        decoder: str | None = None,
        language_model: str | os.PathLike[str] | None = None,
        hotwords: Iterable[str] = (),
        beam: BeamConfig | None = None,
    ) -> "Recognizer":
        """Load a model, and a language model to decode with.

        model: an ONNX file that asr-export wrote, or None for the one in this package.
        device: "cpu", "cuda", or "auto" for CUDA where it works and the CPU otherwise.
        threads: CPU threads of the model, None for one a core.
        decoder: "beam" searches for the words that fit the sound and the language; "greedy" takes
            the best character at each moment, which is quicker. None is beam for the default model,
            and for any other if one of the arguments below is given, else greedy.
        language_model: a file that ``asr-train language-model`` wrote, or None for the English one
            in this package.
        hotwords: words or phrases that the beam search should prefer, such as names.
        beam: settings of the beam search.

        Raises ModelFileError (LanguageModelError among them), DeviceError or, for a decoder that
        does not exist and for settings or hotwords that do not fit it, DecoderError. "auto" warns
        (DeviceWarning) if a CUDA build of ONNX Runtime is installed but does not work; "cuda" never
        falls back.
        """
        path = DEFAULT_MODEL if model is None else Path(model)
        if model is None and not path.exists():
            raise ModelFileError(
                "this installation has no default model; name a model file, or install asr-runtime "
                "from a release",
                str(path),
            )
        hotwords = _hotword_list(hotwords)
        wanted = language_model is not None or beam is not None or bool(hotwords)
        if decoder is None:
            packaged = model is None and DEFAULT_LANGUAGE_MODEL.exists()
            decoder = "beam" if wanted or packaged else "greedy"
        if decoder not in DECODERS:
            raise DecoderError(f"there is no decoder {decoder!r}; choose greedy or beam")
        if decoder == "greedy" and wanted:
            raise DecoderError(
                "the greedy decoder takes no language model, hotwords or beam settings; "
                "choose the beam decoder"
            )
        session = load_session(path, device=device, threads=threads)
        if decoder == "greedy":
            return cls(session)
        return cls(session, _beam_decoder(session.card, language_model, hotwords, beam))

    @property
    def card(self) -> ModelCard:
        """What the model says about itself."""
        return self._session.card

    @property
    def provider(self) -> str:
        """ONNX Runtime's name for the device in use, such as "CPUExecutionProvider"."""
        return self._session.provider

    @property
    def decoder(self) -> str:
        """The decoder in use, "greedy" or "beam"."""
        return "greedy" if self._beam_decoder is None else "beam"

    @property
    def model_path(self) -> Path:
        """The model file in use."""
        return self._session.path

    @overload
    def transcribe(self, audio: AudioPath) -> Transcript: ...

    @overload
    def transcribe(self, audio: npt.ArrayLike, sample_rate: float) -> Transcript: ...

    def transcribe(
        self, audio: AudioPath | npt.ArrayLike, sample_rate: float | None = None
    ) -> Transcript:
        """Transcribe a file, or samples with their sample rate in Hz.

        Samples are [samples] or [samples, channels]: float -1..1, uint8, int8, int16 or int32.
        Any sample rate and number of channels will do.

        Raises AudioFileError or AudioContentError, with the path as its subject.
        """
        if isinstance(audio, (str, os.PathLike)):
            if sample_rate is not None:
                raise TypeError("a file brings its own sample rate; leave sample_rate out")
            waveform = self._read(audio)
        elif sample_rate is None:
            raise TypeError("samples need their sample_rate")
        else:
            waveform = to_waveform(audio, sample_rate, self.card.sample_rate)
        return self._transcribe([waveform])[0]

    def transcribe_batch(self, items: Iterable[Audio]) -> list[Transcript]:
        """Transcribe many utterances faster than one by one, with the same results.

        items: paths, or pairs of samples and sample rate. Those of similar length run together, at
            most MAX_BATCH_SECONDS padded and MAX_BATCH_ITEMS of them at a time. The result has the
            items' order.

        Raises what `transcribe` raises for the first bad item, with the path or "item <index>" as
        its subject, and then returns nothing.
        """
        transcripts: list[Transcript] = []
        for window in self._windows(items):
            transcripts += self._transcribe(window)
        return transcripts

    def stream(
        self,
        sample_rate: float,
        *,
        chunk_ms: float | None = None,
        lookahead_ms: float | None = None,
        endpoint: EndpointConfig | None = None,
    ) -> LiveStream:
        """Begin to transcribe audio while it is recorded; see `LiveStream`.

        sample_rate: of the samples that will be fed, Hz.
        chunk_ms: audio that goes through the model at a time; None for what the model recommends.
        lookahead_ms: audio after each chunk that it waits for; likewise. Text comes at most both
            together after its sound. Less of either costs accuracy.
        endpoint: what ends a sentence.

        Raises ModelFileError for a model that was not exported for streaming, AudioContentError for
        a sample rate that is none, and StreamError for impossible milliseconds.
        """
        card = self.card
        decoder = SentenceDecoder(
            self._beam_decoder, card.vocabulary, card.blank_id, card.seconds_per_frame, endpoint
        )
        return LiveStream(self._session, decoder, sample_rate, chunk_ms, lookahead_ms)

    def log_probs(
        self, samples: Sequence[npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float32]]:
        """The model's output before decoding.

        samples: mono float32 waveforms [samples] at ``card.sample_rate``, -1..1, at least one
            sample each.

        Returns natural-log probabilities [frames, classes] for each, in the same order. Frames are
        ``card.seconds_per_frame`` apart. Raises ValueError for another shape.
        """
        for waveform in samples:
            if waveform.ndim != 1 or not len(waveform):
                raise ValueError(f"give waveforms [samples], not {list(waveform.shape)}")
        results: dict[int, npt.NDArray[np.float32]] = {}
        for batch in self._batches([len(waveform) for waveform in samples]):
            outputs = self._session.run([samples[index] for index in batch])
            results.update(zip(batch, outputs, strict=True))
        return [results[index] for index in range(len(samples))]

    def _windows(self, items: Iterable[Audio]) -> Iterator[list[Waveform]]:
        window: list[Waveform] = []
        seconds = 0.0
        for index, item in enumerate(items):
            waveform = self._waveform(item, index)
            window.append(waveform)
            seconds += waveform.duration
            if seconds >= WINDOW_SECONDS:
                yield window
                window, seconds = [], 0.0
        if window:
            yield window

    def _waveform(self, item: Audio, index: int) -> Waveform:
        if not isinstance(item, tuple):
            return self._read(item)
        samples, sample_rate = item
        try:
            return to_waveform(samples, sample_rate, self.card.sample_rate)
        except AsrRuntimeError as error:
            error.subject = f"item {index}"
            raise

    def _read(self, path: AudioPath) -> Waveform:
        samples, sample_rate = read_audio(path)
        try:
            return to_waveform(samples, sample_rate, self.card.sample_rate)
        except AsrRuntimeError as error:
            error.subject = os.fspath(path)
            raise

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Indices in groups of similar length, each bounded in its number and padded size."""
        limit = MAX_BATCH_SECONDS * self.card.sample_rate
        batch: list[int] = []
        # Longest first: the first of a batch is its padded length, and memory peaks at the start.
        for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
            if batch and (
                len(batch) == MAX_BATCH_ITEMS or (len(batch) + 1) * lengths[batch[0]] > limit
            ):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def _transcribe(self, waveforms: Sequence[Waveform]) -> list[Transcript]:
        outputs = self.log_probs([waveform.samples for waveform in waveforms])
        return [
            self._decode(log_probs, waveform.duration)
            for waveform, log_probs in zip(waveforms, outputs, strict=True)
        ]

    def _decode(self, log_probs: npt.NDArray[np.float32], duration: float) -> Transcript:
        found = self._found(log_probs)
        # The last frame reaches past the end of the audio.
        tokens = tuple(
            Token(
                token.text,
                min(token.start, duration),
                min(token.end, duration),
                token.confidence,
            )
            for token in found.tokens
        )
        return Transcript(found.text, found.confidence, tokens, duration)

    def _found(self, log_probs: npt.NDArray[np.float32]) -> Decoding:
        card = self.card
        if self._beam_decoder is not None:
            return self._beam_decoder.decode(log_probs, card.seconds_per_frame)
        return greedy_decode(log_probs, card.vocabulary, card.blank_id, card.seconds_per_frame)


def _hotword_list(hotwords: Iterable[str]) -> list[str]:
    if isinstance(hotwords, str):
        raise DecoderError("hotwords are a list of words or phrases; give [word]")
    return list(hotwords)


def _beam_decoder(
    card: ModelCard,
    language_model: str | os.PathLike[str] | None,
    hotwords: Sequence[str],
    beam: BeamConfig | None,
) -> BeamDecoder:
    path = DEFAULT_LANGUAGE_MODEL if language_model is None else Path(language_model)
    if language_model is None and not path.exists():
        raise LanguageModelError(
            "this installation has no default language model; name a language model file, or "
            "install asr-runtime from a release",
            str(path),
        )
    try:
        return BeamDecoder(
            read_language_model(path), card.vocabulary, card.blank_id, hotwords, beam
        )
    except LanguageModelError as error:
        error.subject = str(path)
        raise
