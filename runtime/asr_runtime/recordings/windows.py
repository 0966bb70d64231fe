"""Endless audio as overlapping windows of one length, which a model can read one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WINDOW_SECONDS = 20.0
"""About the longest utterance of the training data. Memory grows with it, speed does not."""

OVERLAP_SECONDS = 4.0
"""Audio that two neighbouring windows share. What a bidirectional model makes of a window's first
and last half second is wrong, and the influence of the edge is small from two seconds on."""


@dataclass(frozen=True)
class Window:
    """Part of the audio.

    Attributes:
        first_frame: Number of its first frame.
        samples: Mono samples from there on, float32 [samples].
    """

    first_frame: int
    samples: npt.NDArray[np.float32]


def cut_windows(
    blocks: Iterable[npt.NDArray[np.float32]], window: int, overlap: int, frame_stride: int
) -> Iterator[Window]:
    """Cut audio into windows as it comes, holding no more than one of them and a block.

    The last window is shorter, though longer than the overlap if there are several; audio that is
    no longer than a window is one. No audio gives no window.

    Args:
        blocks: Mono audio in blocks of any length, float32 [samples].
        window: Frames of a window.
        overlap: Frames that a window shares with the next one.
        frame_stride: Samples of a frame.

    Yields:
        Windows in order.

    Raises:
        ValueError: The overlap is no shorter than the window.
    """
    if not 0 <= overlap < window:
        raise ValueError(f"windows of {window} frames cannot overlap by {overlap}")
    size, step = window * frame_stride, window - overlap
    first_frame = 0
    # The window's samples, in the pieces they came in.
    pieces: list[npt.NDArray[np.float32]] = []
    held = 0
    for block in blocks:
        pieces.append(block)
        held += len(block)
        # One sample more than the window, or it would not be known that another one follows.
        while held > size:
            samples = np.concatenate(pieces)
            yield Window(first_frame, samples[:size].copy())
            first_frame += step
            rest = samples[step * frame_stride :]
            pieces, held = [rest], len(rest)
    if held:
        yield Window(first_frame, np.concatenate(pieces))
