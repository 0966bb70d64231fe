"""The log-probabilities of a recording of any length, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.audio_source import AudioBlocks
from asr_runtime.audio.waveform import Waveform, WaveformStream, to_waveform
from asr_runtime.decoding.heads import Rows
from asr_runtime.inference.session import ModelSession
from asr_runtime.recordings.stitching import SeamConfig, stitch
from asr_runtime.recordings.windows import OVERLAP_SECONDS, WINDOW_SECONDS, Window, cut_windows

Samples = npt.NDArray[np.float32]

LONG_SECONDS = 60.0
"""Longer audio is read in windows and decoded as sentences; other audio is one window."""

SEAM_MARGIN_SECONDS = 1.0
"""Part of the overlap, at each of its ends, that stays with the window that has more context."""

SEAM_PAUSE_SECONDS = 0.24
"""Without a character in either window for so long, it is a pause, the best place for a seam."""

SEAM_REACH_SECONDS = 0.15
"""Audio on either side of a seam in which the two windows should agree."""


def read_recording(
    audio: AudioBlocks, sample_rate: int, long_seconds: float = LONG_SECONDS
) -> Waveform | Iterator[Samples]:
    """Read the beginning of a recording, and all of it if it is short.

    Args:
        audio: The recording, of which nothing was read yet.
        sample_rate: The model's, in Hz.
        long_seconds: The longest recording that is read as a whole.

    Returns:
        A short recording at the model's rate. Of a longer one all blocks: mono float32 [samples] at
        the recording's own rate, of which none is held after the next is asked for.

    Raises:
        AudioFileError: The recording cannot be read.
        AudioContentError: It holds no audio, or what is none.
    """
    limit = long_seconds * audio.sample_rate
    blocks = audio.blocks()
    begin: list[Samples] = []
    length = 0
    for block in blocks:
        begin.append(block)
        length += len(block)
        if length > limit:
            return chain(_drained(begin), blocks)
    samples = np.concatenate(begin) if begin else np.zeros(0, np.float32)
    waveform = to_waveform(samples, audio.sample_rate, sample_rate)
    return replace(waveform, warnings=(*audio.warnings, *waveform.warnings))


def resampled(blocks: Iterable[Samples], stream: WaveformStream) -> Iterator[Samples]:
    """Yield a recording at the model's rate.

    Args:
        blocks: Mono samples [samples] at the recording's rate.
        stream: The resampler, which counts the recording's length.

    Yields:
        Mono float32 samples [samples], to the end of the recording.
    """
    for block in blocks:
        yield stream.feed(block)
    yield stream.finish()


def iter_log_probs(session: ModelSession, blocks: Iterable[Samples]) -> Iterator[Rows]:
    """Run a recording through the model in overlapping windows.

    Only two windows, and those that run together, are held at a time.

    Args:
        session: The model.
        blocks: Mono float32 samples [samples] at the model's rate, -1 to 1.

    Yields:
        Natural-log probabilities [frames, columns of ``session.heads``]; every frame once, in
        order.
    """
    card, heads = session.card, session.heads

    def frames(seconds: float) -> int:
        return max(1, round(seconds / card.seconds_per_frame))

    windows = cut_windows(
        blocks, frames(WINDOW_SECONDS), frames(OVERLAP_SECONDS), card.frame_stride
    )
    config = SeamConfig(
        margin=frames(SEAM_MARGIN_SECONDS),
        pause=frames(SEAM_PAUSE_SECONDS),
        reach=frames(SEAM_REACH_SECONDS),
    )
    return stitch(_run(session, windows), heads.blank, config, heads.heard)


def _run(session: ModelSession, windows: Iterator[Window]) -> Iterator[tuple[int, Samples]]:
    """Yield each window's first frame and its log-probabilities."""
    while batch := list(islice(windows, session.windows_per_run)):
        # The last one too, if it is alone: two sessions would hold memory for a window each.
        outputs = session.run([window.samples for window in batch], often=True)
        for window, log_probs in zip(batch, outputs, strict=True):
            yield window.first_frame, log_probs


def _drained(blocks: list[Samples]) -> Iterator[Samples]:
    """Yield the blocks and forget each of them."""
    blocks.reverse()
    while blocks:
        yield blocks.pop()
