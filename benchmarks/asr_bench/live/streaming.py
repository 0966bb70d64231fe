"""What a live stream costs: words, waiting and computing, by chunk and look-ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_bench.errors import BenchError
from asr_bench.live.stream_recording import StreamSetting, stream_recording
from asr_runtime import AsrRuntimeError, Recognizer
from asr_runtime.recognizer import DECODERS
from asr_train.data.audio_store import FileStore
from asr_train.data.manifest import Utterance
from asr_train.evaluation.metrics import error_rates
from asr_train.model.config import SAMPLE_RATE


@dataclass(frozen=True)
class StreamCost:
    """Of one setting, with the beam decoder and one thread.

    Attributes:
        latency: seconds from a sound to when the samples that its text waits for have come.
        chunk_seconds: of computing for each chunk of each recording, decoding included.
        finish_seconds: from the end of each recording to its final text.
        word_error_rates: by decoder.
    """

    latency: float
    chunk_seconds: tuple[float, ...]
    finish_seconds: tuple[float, ...]
    word_error_rates: dict[str, float]


def load_decoders(model: Path | None) -> dict[str, Recognizer]:
    """A recogniser on one thread for each decoder; ``BenchError`` if the model cannot stream."""
    try:
        recognizers = {
            decoder: Recognizer.load(model, device="cpu", threads=1, decoder=decoder)
            for decoder in DECODERS
        }
        for recognizer in recognizers.values():
            recognizer.stream(SAMPLE_RATE)
    except AsrRuntimeError as error:
        raise BenchError(str(error)) from None
    return recognizers


def measure_whole(
    recognizers: dict[str, Recognizer], utterances: Sequence[Utterance]
) -> dict[str, float]:
    """Word error rates of whole recordings by decoder, to compare the streams' with."""
    rates = {}
    references = [row.text for row in utterances]
    for decoder, recognizer in recognizers.items():
        store = FileStore(utterances)
        texts = [
            recognizer.transcribe(store[index], SAMPLE_RATE).text
            for index in range(len(utterances))
        ]
        rates[decoder] = error_rates(references, texts).word_error_rate
    return rates


def measure_stream(
    recognizers: dict[str, Recognizer],
    utterances: Sequence[Utterance],
    setting: StreamSetting,
    after_recording: Callable[[], None] = lambda: None,
) -> StreamCost:
    """Stream every recording in pieces of 20 ms, as fast as they are taken."""
    store = FileStore(utterances)
    references = [row.text for row in utterances]
    rates, finishes = {}, []
    chunks: list[float] = []
    latency = 0.0
    for decoder, recognizer in recognizers.items():
        texts = []
        for index in range(len(utterances)):
            found = stream_recording(recognizer, store[index], setting)
            latency = found.latency
            texts.append(found.text)
            if decoder == "beam":
                chunks += found.chunk_seconds
                finishes.append(found.finish_seconds)
            after_recording()
        rates[decoder] = error_rates(references, texts).word_error_rate
    return StreamCost(latency, tuple(chunks), tuple(finishes), rates)
