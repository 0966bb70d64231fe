"""How loud audio is: faint speech is amplified, and what sounds wrong is remarked on.

The model's features have an absolute floor, below which speech is silence to it. Audio is therefore
amplified if, and only if, all of it so far is far fainter than speech usually is. The gain is a
power of two, so that the amplified samples have the very digits of the faint ones.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from asr_runtime.audio.samples import Frames, Mono

WINDOW_SECONDS = 0.02
"""The level is measured in windows of this length."""

FAINT = -52.0
"""Level in dBFS below which speech is amplified. That of usual speech is -30 to -8."""

TARGET = -16.0
"""Level in dBFS that faint speech is brought to, or up to 6 dB below."""

INAUDIBLE = -102.0
"""Level in dBFS below which there is nothing but the noise of 16-bit samples."""

DYNAMICS = 9.0
"""Decibels between the loud and the quiet windows of speech; steady noise has less, and stays."""

LOOKAHEAD_SECONDS = 60.0
"""Audio that may wait for louder audio before it is amplified, where nobody waits for text."""

LIVE_LOOKAHEAD_SECONDS = 0.5
"""The same where somebody waits. Usual speech does not wait."""

_LOUD_WINDOWS = 3  # that have to be as loud, so that a click does not count
_QUIET_SHARE = 0.1  # of the windows, that are quiet
_LOWEST = -140  # dBFS of digital silence

_CLIPPED = 0.999
_CLIPPED_SHARE = 0.01
_OFFSET = 0.02


class FaintSpeechGain:
    """Amplifies faint speech; the result does not depend on how the samples are divided.

    The level is that of the third-loudest window (20 ms) so far. Once it is that of usual speech,
    samples pass as they are, for good. Until then they wait, for at most the look-ahead.

    Args:
        sample_rate: Hz.
        lookahead_seconds: how long samples wait at most.
    """

    def __init__(self, sample_rate: float, lookahead_seconds: float = LOOKAHEAD_SECONDS) -> None:
        self._window = max(round(sample_rate * WINDOW_SECONDS), 1)
        self._lookahead = max(round(lookahead_seconds / WINDOW_SECONDS), 1)
        self._is_usual = False
        self._loudest = [-math.inf] * _LOUD_WINDOWS
        self._counts = np.zeros(1 - _LOWEST, int)  # windows by their level in dBFS, rounded
        self._held: deque[Mono] = deque()  # whole windows
        self._rest: Mono = np.zeros(0, np.float32)
        self._largest_gain = 1.0

    def feed(self, samples: Mono) -> Mono:
        """Return the samples [samples] that have waited for long enough, amplified or not."""
        if self._is_usual:
            return samples
        if len(self._rest):
            samples = np.concatenate([self._rest, samples])
        result: list[Mono] = []
        size = self._window
        for start in range(0, len(samples) - size + 1, size):
            window = samples[start : start + size]
            self._count(window)
            if self._is_usual:
                self._rest = samples[:0]
                result += [*self._held, samples[start:]]
                self._held.clear()
                return _joined(result)
            # Digital silence stays what it is, and nobody has to wait for it.
            if not self._held and not window.any():
                result.append(window)
                continue
            self._held.append(window)
            if len(self._held) > self._lookahead:
                result.append(self._amplified(self._held.popleft()))
        self._rest = samples[len(samples) // size * size :].copy()
        return _joined(result)

    def finish(self) -> Mono:
        """Return what is left at the end of the audio [samples]."""
        if 2 * len(self._rest) > self._window:
            self._count(self._rest)
        result = _joined([*self._held, self._rest])
        self._held.clear()
        self._rest = result[:0]
        return result if self._is_usual else self._amplified(result)

    @property
    def remarks(self) -> list[str]:
        """What people should know about the level, once the audio has ended."""
        level = self._level
        if self._is_usual or not self._counts.any():
            return []
        if self._largest_gain > 1.0:
            decibels = 20 * math.log10(self._largest_gain)
            return [
                f"it is faint ({level:.0f} dBFS at most) and was amplified by {decibels:.0f} dB"
            ]
        if self._counts[0] == self._counts.sum():
            return ["it is digital silence: every sample is 0"]
        if level == -math.inf:
            return ["it is silent but for a click"]
        return [f"it is nearly silent ({level:.0f} dBFS at most)"]

    @property
    def _level(self) -> float:
        return self._loudest[0]

    def _count(self, window: Mono) -> None:
        power = float(np.dot(window, window)) / len(window)
        level = 10 * math.log10(power) if power > 0 else -math.inf
        self._counts[max(round(max(level, _LOWEST)) - _LOWEST, 0) if level < 0 else -_LOWEST] += 1
        if level > self._loudest[0]:
            self._loudest = sorted([level, *self._loudest[1:]])
            self._is_usual = self._level >= FAINT

    def _amplified(self, samples: Mono) -> Mono:
        level = self._level
        if not INAUDIBLE <= level < FAINT:
            return samples
        quiet = (
            np.searchsorted(np.cumsum(self._counts), _QUIET_SHARE * self._counts.sum()) + _LOWEST
        )
        if level - quiet < DYNAMICS:
            return samples
        gain = 2.0 ** math.floor((TARGET - level) / (20 * math.log10(2)))
        self._largest_gain = max(self._largest_gain, gain)
        return samples * np.float32(gain)


class SignalCheck:
    """Looks for samples that were recorded wrongly, as they come."""

    def __init__(self) -> None:
        self._number = 0
        self._clipped = 0
        self._sum = 0.0
        self._energy = 0.0

    def add(self, frames: Frames) -> None:
        """Look at the next samples [samples, channels]."""
        self._number += frames.size
        if not frames.size:
            return
        if max(frames.max(), -frames.min()) >= _CLIPPED:
            self._clipped += int(np.count_nonzero(np.abs(frames) >= _CLIPPED))
        flat = frames.reshape(-1)
        # What is not finite is refused further on.
        with np.errstate(over="ignore", invalid="ignore"):
            self._sum += float(flat.sum())
            self._energy += float(np.dot(flat, flat))

    @property
    def remarks(self) -> list[str]:
        """What people should know about the samples so far."""
        if not self._number:
            return []
        remarks = []
        share = self._clipped / self._number
        if share >= _CLIPPED_SHARE:
            remarks.append(f"it is clipped: {100 * share:.0f} % of its samples are at full scale")
        mean = self._sum / self._number
        if abs(mean) > _OFFSET and mean * mean > self._energy / self._number / 2:
            remarks.append(f"it is one-sided: its samples lie around {mean:.2f} instead of 0")
        return remarks


def _joined(parts: list[Mono]) -> Mono:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
