"""The front door: audio in, transcripts out."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, overload

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_source import Audio, AudioBlocks, AudioPath, open_source
from asr_runtime.audio.waveform import Waveform
from asr_runtime.decoding.beam_config import BeamConfig
from asr_runtime.decoding.decoder import AnyDecoder
from asr_runtime.decoding.decoder_choice import choose_decoder
from asr_runtime.decoding.utterance_decoder import decode_utterance
from asr_runtime.errors import DecoderError, LanguageModelError, ModelFileError
from asr_runtime.inference.batching import batches
from asr_runtime.inference.freed_memory import return_freed_memory
from asr_runtime.inference.session import ModelSession, load_session
from asr_runtime.language.language_model_file import read_language_model
from asr_runtime.live.live_stream import LiveStream
from asr_runtime.long_recordings.pieces import LONG_SECONDS, Pieces
from asr_runtime.model_file.model_card import ModelCard
from asr_runtime.sentences.endpoint_config import EndpointConfig
from asr_runtime.sentences.sentence_decoder import SentenceDecoder
from asr_runtime.transcript import Transcript

DEFAULT_MODEL = Path(__file__).parent / "models" / "edge.onnx"
DEFAULT_LANGUAGE_MODEL = Path(__file__).parent / "models" / "english.lm"

DECODERS = ("greedy", "beam")

GROUP_SECONDS = 1800.0
"""Audio that `transcribe_batch` holds at a time (115 MB at 16 kHz) to find similar lengths in."""


class Recognizer:
    """A speech recogniser.

    >>> recognizer = Recognizer.load()
    >>> recognizer.transcribe("speech.wav").text

    Threads may share one.
    """

    def __init__(self, session: ModelSession, beam_decoder: AnyDecoder | None = None) -> None:
        self._session = session
        if beam_decoder is not None and beam_decoder.heads.phonemes:
            self._session = session.with_phonemes()
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
        threads: CPU threads of the model, None for one on each CPU that the process may use.
        decoder: "beam" searches for the words that fit the sound and the language; "greedy" takes
            the best character at each moment, which is quicker. None is beam for the default model,
            and for any other if one of the arguments below is given, else greedy.
        language_model: a file that ``asr-train language-model`` wrote, or None for the English one
            in this package.
        hotwords: words or phrases that the beam search should prefer, such as names; each with its
            sounds, as in ``Panayotov=P AA N AH Y OW T AO F``, or without.
        beam: settings of the beam search. If it goes by phonemes, as it does where the model has a
            head for them and the language model has pronunciations, what has the default of
            `BeamConfig` gets that of `PhonemeBeamConfig`; one of the latter is taken as it is.

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
        return_freed_memory()
        if decoder == "greedy":
            return cls(session)
        beam_decoder = _beam_decoder(session.card, language_model, hotwords, beam)
        return_freed_memory()
        return cls(session, beam_decoder)

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
        Any sample rate and number of channels will do. The text of more than a minute is that of
        the sentences in it, as `transcribe_sentences` finds them.

        Raises AudioFileError or AudioContentError, with the path as its subject.
        """
        source: Audio
        if isinstance(audio, (str, os.PathLike)):
            if sample_rate is not None:
                raise TypeError("a file brings its own sample rate; leave sample_rate out")
            source = audio
        elif sample_rate is None:
            raise TypeError("samples need their sample_rate")
        else:
            source = (audio, sample_rate)
        with open_source(source) as opened:
            return self.pieces(opened).joined()

    def transcribe_sentences(
        self,
        audio: Audio | BinaryIO,
        *,
        endpoint: EndpointConfig | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Transcript]:
        """Transcribe a recording of any length, sentence by sentence, as they are found.

        audio: a file, samples and their sample rate, or a binary stream such as standard input.
        progress: called with the seconds of audio that are done, every few of them.

        A sentence's times count from the recording's beginning. Memory does not grow with its
        length. Raises what `transcribe` raises, also after some sentences: they are then not all.
        """
        with open_source(audio) as opened:
            yield from self.pieces(opened, endpoint=endpoint, progress=progress, long_seconds=0.0)

    def transcribe_batch(self, items: Iterable[Audio]) -> list[Transcript]:
        """Transcribe many utterances faster than one by one, with the same results.

        items: paths, or pairs of samples and sample rate. Those of similar length run together, at
            most MAX_BATCH_SECONDS padded and MAX_BATCH_ITEMS of them at a time. The result has the
            items' order.

        Raises what `transcribe` raises for the first bad item, with the path or "item <index>" as
        its subject, and then returns nothing.
        """
        transcripts: list[Transcript] = []
        group: list[Waveform | Transcript] = []
        for index, item in enumerate(items):
            group.append(self._prepared(item, index))
            if sum(entry.duration for entry in group) >= GROUP_SECONDS:
                transcripts += self._group(group)
                group = []
        return transcripts + self._group(group)

    def pieces(
        self,
        audio: AudioBlocks,
        endpoint: EndpointConfig | None = None,
        progress: Callable[[float], None] | None = None,
        *,
        long_seconds: float = LONG_SECONDS,
    ) -> Pieces:
        """Begin to transcribe audio that `open_source` opened; see `Pieces`."""
        return Pieces(
            audio,
            self._session,
            lambda waveform: self._transcribe([waveform])[0],
            self._sentence_decoder(endpoint),
            progress,
            long_seconds=long_seconds,
        )

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
        decoder = self._sentence_decoder(endpoint)
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
        return [self._session.heads.spelled(rows) for rows in self.rows(samples)]

    def rows(self, samples: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        """As `log_probs`, with the phonemes' columns beside the letters' if those are decoded."""
        results: dict[int, npt.NDArray[np.float32]] = {}
        for batch in batches([len(row) for row in samples], self.card.sample_rate):
            outputs = self._session.run([samples[index] for index in batch])
            results.update(zip(batch, outputs, strict=True))
        return [results[index] for index in range(len(samples))]

    def _group(self, prepared: Sequence[Waveform | Transcript]) -> list[Transcript]:
        """Transcripts of a group of items, of which the long ones are transcripts already."""
        decoded = iter(self._transcribe([item for item in prepared if isinstance(item, Waveform)]))
        return [next(decoded) if isinstance(item, Waveform) else item for item in prepared]

    def _prepared(self, item: Audio, index: int) -> Waveform | Transcript:
        with open_source(item, f"item {index}") as audio:
            pieces = self.pieces(audio)
            return pieces.short() or pieces.joined()

    def _transcribe(self, waveforms: Sequence[Waveform]) -> list[Transcript]:
        outputs = self.rows([waveform.samples for waveform in waveforms])
        return [
            decode_utterance(log_probs, waveform.duration, self.card, self._beam_decoder)
            for waveform, log_probs in zip(waveforms, outputs, strict=True)
        ]

    def _sentence_decoder(self, endpoint: EndpointConfig | None) -> SentenceDecoder:
        card = self.card
        return SentenceDecoder(
            self._beam_decoder, card.vocabulary, card.blank_id, card.seconds_per_frame, endpoint
        )


def _hotword_list(hotwords: Iterable[str]) -> list[str]:
    if isinstance(hotwords, str):
        raise DecoderError("hotwords are a list of words or phrases; give [word]")
    return list(hotwords)


def _beam_decoder(
    card: ModelCard,
    language_model: str | os.PathLike[str] | None,
    hotwords: Sequence[str],
    beam: BeamConfig | None,
) -> AnyDecoder:
    path = DEFAULT_LANGUAGE_MODEL if language_model is None else Path(language_model)
    if language_model is None and not path.exists():
        raise LanguageModelError(
            "this installation has no default language model; name a language model file, or "
            "install asr-runtime from a release",
            str(path),
        )
    try:
        return choose_decoder(read_language_model(path), card, hotwords, beam)
    except LanguageModelError as error:
        error.subject = str(path)
        raise
