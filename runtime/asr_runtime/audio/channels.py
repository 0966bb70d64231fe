"""From the channels of a recording to one: the only place where they are mixed.

Every route goes through `ChannelMixer`: files, pipes, live samples, arrays, training data.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.samples import Frames, Mono
from asr_runtime.errors import AudioContentError

Channels: TypeAlias = str | int
"""MIX, or the number of one channel, from 1 on."""

MIX = "mix"

WINDOW_SECONDS = 0.02
"""After every window it is decided anew which channels are upside down."""

OPPOSITE = -0.5
"""Correlation below which a channel is upside down. Two microphones of a room have 0 to 1, two ends
of a call about 0, and a line that is wired the wrong way has -1."""

_COMPARED_STEP = 4  # every so many samples tell how channels go together
_MOST_COMPARED = 8  # channels; of more the mean is taken as it is
_SILENT = 1e-6  # energy of a channel beside that of the loudest one, -60 dB


class ChannelMixer:
    """Makes one channel of several, however they are divided into blocks.

    The mix is the mean. A channel whose polarity is opposite to that of the others would take the
    speech away, so it is turned around while all that was heard up to the last window (20 ms) shows
    it to be opposite. Whatever is not opposite is left as it is.

    Args:
        channels: MIX, or the number of the channel to take, from 1 on.
        sample_rate: Hz.
    """

    def __init__(self, channels: Channels, sample_rate: float) -> None:
        self._choice = checked_channels(channels)
        samples = round(sample_rate * WINDOW_SECONDS / _COMPARED_STEP)
        self._window = max(samples, 1) * _COMPARED_STEP
        self._count: int | None = None
        # Products of every two channels: of the window that has begun, and of all before it.
        self._filled = 0
        self._partial: npt.NDArray[np.float64] = np.zeros((0, 0))
        self._total: npt.NDArray[np.float64] = np.zeros((0, 0))
        self._signs: npt.NDArray[np.float32] = np.ones(0, np.float32)
        self._was_opposite = False

    def mix(self, frames: Frames) -> Mono:
        """Return one channel [samples] of several [samples, channels].

        Raises:
            AudioContentError: The channel asked for is not there.
        """
        count = frames.shape[1]
        if count != self._count:
            self._begin(count)
        if self._choice is not None:
            return frames[:, self._choice - 1].copy()
        if count == 1:
            return frames[:, 0]
        if not len(frames):
            return np.zeros(0, np.float32)
        signs = self._signs_of(frames)
        if signs is not None:
            frames = frames * signs
        if count > 2:
            mixed: Mono = frames.mean(axis=1)
        else:  # the same, and several times as fast
            mixed = frames[:, 0] + frames[:, 1]
            mixed *= 0.5
        return mixed

    @property
    def remarks(self) -> list[str]:
        """What people should know about the channels so far."""
        remarks = []
        if self._was_opposite:
            remarks.append("its channels have opposite polarity; one was turned around for the mix")
        energies = np.diagonal(self._total + self._partial)
        silent = np.flatnonzero(energies < energies.max(initial=0.0) * _SILENT) + 1
        if len(silent):
            names = ", ".join(map(str, silent[:8].tolist())) + (", …" if len(silent) > 8 else "")
            remarks.append(f"of its {self._count} channels nothing is in number {names}")
        return remarks

    def _begin(self, count: int) -> None:
        if self._choice is not None and self._choice > count:
            plural = "channels" if count > 1 else "channel"
            raise AudioContentError(
                f"it has {count} {plural} and not number {self._choice}; give one that is there"
            )
        self._count = count
        self._filled = 0
        compared = count if count <= _MOST_COMPARED else 0
        self._partial, self._total = np.zeros((2, compared, compared))
        self._signs = np.ones(count, np.float32)

    def _signs_of(self, frames: Frames) -> npt.NDArray[np.float32] | None:
        """Return the sign of every sample of every channel, or None if all are 1."""
        size, count = self._window, frames.shape[1]
        if count > _MOST_COMPARED:
            return None
        head = min(size - self._filled, len(frames))
        begin = self._signs
        self._add(frames[:head])
        whole = (len(frames) - head) // size * size
        windows = frames[head : head + whole].reshape(-1, size, count)[:, ::_COMPARED_STEP]
        used = self._signs[None]
        if len(windows):
            rows = np.ascontiguousarray(windows.transpose(2, 0, 1))
            products = np.einsum("awi,bwi->wab", rows, rows)
            totals = self._total + np.cumsum(products, axis=0, dtype=np.float64)
            decided = _signs(totals)
            used = np.concatenate([used, decided])
            self._total, self._signs = totals[-1], decided[-1]
        tail = frames[head + whole :]
        if len(tail):
            self._add(tail)
        if (begin > 0).all() and (used > 0).all():
            return None
        self._was_opposite = True
        lengths = [head, *[size] * len(windows), len(tail)]
        return np.repeat(np.concatenate([begin[None], used]), lengths, axis=0)

    def _add(self, frames: Frames) -> None:
        """Count samples that are at most the rest of the window that has begun."""
        compared = frames[-self._filled % _COMPARED_STEP :: _COMPARED_STEP]
        self._partial += compared.T @ compared
        self._filled += len(frames)
        if self._filled == self._window:
            self._total = self._total + self._partial
            self._partial = np.zeros_like(self._partial)
            self._filled = 0
            self._signs = _signs(self._total[None])[0]


def checked_channels(channels: Channels) -> int | None:
    """Return the number of the one channel that is meant, from 1 on, or None for the mix.

    Raises:
        AudioContentError: It is neither MIX nor such a number.
    """
    if channels == MIX:
        return None
    if isinstance(channels, int) and not isinstance(channels, bool) and channels > 0:
        return channels
    raise AudioContentError(
        f"channels are {MIX!r} or the number of one from 1 on, not {channels!r}"
    )


def _signs(totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return -1 for each channel that is opposite to the loudest one, else 1.

    Args:
        totals: sums of products of every two channels, at several times [times, channels,
            channels].

    Returns:
        float32 [times, channels].
    """
    energies = np.diagonal(totals, axis1=1, axis2=2)
    loudest = energies.argmax(axis=1)
    times = np.arange(len(totals))
    scale = np.sqrt(energies * energies[times, loudest][:, None])
    signs = np.where(totals[times, loudest] < OPPOSITE * scale, -1, 1)
    # Which channel is the loudest may change; the polarity of the mix should not.
    return (signs * signs[:, :1]).astype(np.float32)
