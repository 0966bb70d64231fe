"""A recording fed to a recogniser as a live stream, and the computing time of each chunk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asr_runtime.model_file.contract import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from asr_runtime.recognizer import Recognizer


#: Samples fed at a time: 20 ms, as a sound card gives them.
BLOCK = SAMPLE_RATE // 50


@dataclass(frozen=True)
class TimedStream:
    """Text and times of one streamed recording.

    Attributes:
        text: Text of all sentences.
        latency: Seconds from a sound until all samples that its text waits for have arrived.
        chunk_seconds: Computing time of each chunk, decoding included, the longest first.
        finish_seconds: Time from the end of the recording to its final text.
    """

    text: str
    latency: float
    chunk_seconds: tuple[float, ...]
    finish_seconds: float


def stream_recording(
    recognizer: Recognizer,
    samples: npt.NDArray[np.float32],
    chunk_ms: float,
    lookahead_ms: float,
) -> TimedStream:
    """Stream a recording in blocks of 20 ms, as fast as they are taken.

    Args:
        recognizer: Recogniser with a streaming model.
        samples: Float32 [samples] at 16 kHz.
        chunk_ms: Audio that goes through the model at a time, in milliseconds.
        lookahead_ms: Audio that a chunk waits for beyond its end, in milliseconds.
    """
    stream = recognizer.stream(SAMPLE_RATE, chunk_ms=chunk_ms, lookahead_ms=lookahead_ms)
    # The time of a chunk is not visible from outside. A block that completes one takes far longer
    # than one that is only kept, and blocks are shorter than chunks: the longest are the chunks.
    sentences, spent = [], []
    for begin in range(0, len(samples), BLOCK):
        start = time.perf_counter()
        results = stream.feed(samples[begin : begin + BLOCK])
        spent.append(time.perf_counter() - start)
        sentences += [result.text for result in results if result.is_final]
    start = time.perf_counter()
    results = stream.finish()
    finish = time.perf_counter() - start
    sentences += [result.text for result in results if result.is_final]
    count = _chunks(len(samples), chunk_ms, lookahead_ms, recognizer)
    chunks = tuple(sorted(spent, reverse=True)[:count])
    return TimedStream(" ".join(sentences), stream.latency, chunks, finish)


def _chunks(samples: int, chunk_ms: float, lookahead_ms: float, recognizer: Recognizer) -> int:
    """Return how many chunks a recording completes before its end."""
    card = recognizer.card
    frame_ms = 1000 * card.seconds_per_frame
    chunk = round(chunk_ms / frame_ms) * card.frame_stride
    window = chunk + round(lookahead_ms / frame_ms) * card.frame_stride - 1
    return max(0, (samples - window) // chunk + 1)
