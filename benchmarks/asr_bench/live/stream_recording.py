"""One recording as a live stream: the text, and the computing that each chunk takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.model_file.contract import SAMPLE_RATE
from asr_runtime.recognizer import Recognizer

Samples = npt.NDArray[np.float32]

#: Samples fed at a time: 20 ms, as a sound card gives them.
PIECE = SAMPLE_RATE // 50


@dataclass(frozen=True)
class StreamSetting:
    """Milliseconds of a chunk and of the look-ahead after it."""

    chunk_ms: float
    lookahead_ms: float


@dataclass(frozen=True)
class StreamedRecording:
    """What came of one recording.

    Attributes:
        text: of all sentences.
        latency: seconds from a sound to when the samples that its text waits for have come.
        chunk_seconds: of computing for each chunk, decoding included, the longest first.
        finish_seconds: from the end of the recording to its final text.
    """

    text: str
    latency: float
    chunk_seconds: tuple[float, ...]
    finish_seconds: float


def stream_recording(
    recognizer: Recognizer, samples: Samples, setting: StreamSetting
) -> StreamedRecording:
    """Stream 16 kHz ``samples`` in pieces of 20 ms, as fast as they are taken."""
    stream = recognizer.stream(
        SAMPLE_RATE, chunk_ms=setting.chunk_ms, lookahead_ms=setting.lookahead_ms
    )
    # The chunks' own time is not visible from outside; a piece that made one is far slower
    # than one that was only kept, and pieces are shorter than chunks.
    sentences, spent = [], []
    for piece in _pieces(samples):
        begin = time.perf_counter()
        results = stream.feed(piece)
        spent.append(time.perf_counter() - begin)
        sentences += [result.text for result in results if result.is_final]
    begin = time.perf_counter()
    results = stream.finish()
    finish = time.perf_counter() - begin
    sentences += [result.text for result in results if result.is_final]
    number = _chunks(len(samples), setting, recognizer)
    chunks = tuple(sorted(spent, reverse=True)[:number])
    return StreamedRecording(" ".join(sentences), stream.latency, chunks, finish)


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
