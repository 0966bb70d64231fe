"""What a live stream costs: words, waiting and computing, by chunk and look-ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr_bench.errors import BenchError
from asr_runtime import AsrRuntimeError, Recognizer
from asr_runtime.recognizer import DECODERS
from asr_train.audio_store import FileStore
from asr_train.config import SAMPLE_RATE
from asr_train.manifest import Utterance
from asr_train.metrics import error_rates

Samples = npt.NDArray[np.float32]

#: Samples fed at a time: 20 ms, as a sound card gives them.
PIECE = SAMPLE_RATE // 50


@dataclass(frozen=True)
class StreamSetting:
    """Milliseconds of a chunk and of the look-ahead after it."""

    chunk_ms: float
    lookahead_ms: float


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
    rates, chunks, finishes = {}, [], []
    latency = 0.0
    for decoder, recognizer in recognizers.items():
        texts = []
        for index in range(len(utterances)):
            stream = recognizer.stream(
                SAMPLE_RATE, chunk_ms=setting.chunk_ms, lookahead_ms=setting.lookahead_ms
            )
            latency = stream.latency
            # The chunks' own time is not visible from outside; a piece that made one is far slower
            # than one that was only kept, and pieces are shorter than chunks.
            sentences, spent = [], []
            for piece in _pieces(store[index]):
                begin = time.perf_counter()
                results = stream.feed(piece)
                spent.append(time.perf_counter() - begin)
                sentences += [result.text for result in results if result.is_final]
            begin = time.perf_counter()
            results = stream.finish()
            finish = time.perf_counter() - begin
            sentences += [result.text for result in results if result.is_final]
            texts.append(" ".join(sentences))
            if decoder == "beam":
                number = _chunks(len(store[index]), setting, recognizer)
                chunks += sorted(spent, reverse=True)[:number]
                finishes.append(finish)
            after_recording()
        rates[decoder] = error_rates(references, texts).word_error_rate
    return StreamCost(latency, tuple(chunks), tuple(finishes), rates)


def _pieces(samples: Samples) -> Iterator[Samples]:
    for begin in range(0, len(samples), PIECE):
        yield samples[begin : begin + PIECE]


def _chunks(samples: int, setting: StreamSetting, recognizer: Recognizer) -> int:
    """How many chunks a recording has before its end."""
    card = recognizer.card
    frame_ms = 1000 * card.seconds_per_frame
    chunk = round(setting.chunk_ms / frame_ms) * card.frame_stride
    window = chunk + round(setting.lookahead_ms / frame_ms) * card.frame_stride - 1
    return max(0, (samples - window) // chunk + 1)
