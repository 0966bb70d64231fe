"""From samples as people have them to the mono float32 that the model takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.channels import MIX, ChannelMixer, Channels
from asr_runtime.audio.level import LOOKAHEAD_SECONDS, FaintSpeechGain, SignalCheck
from asr_runtime.audio.samples import (
    Frames,
    Mono,
    check_duration,
    checked_sample_rate,
    to_frames,
)

if TYPE_CHECKING:
    from asr_runtime.audio.raw_stream import SampleBytes
    from asr_runtime.audio.sample_format import SampleFormat


@dataclass(frozen=True)
class Waveform:
    """Audio as the model takes it.

    Attributes:
        samples: mono samples at the model's rate, float32 [samples].
        duration: length of the original in seconds.
        warnings: what people should know about its level.
    """

    samples: Mono
    duration: float
    warnings: tuple[str, ...] = ()


def to_waveform(
    samples: npt.ArrayLike, sample_rate: float, target_rate: int, channels: Channels = MIX
) -> Waveform:
    """Check samples, mix them down to mono, resample them, and amplify faint speech.

    Args:
        samples: [samples] or [samples, channels]; see `to_frames`.
        sample_rate: Hz.
        target_rate: Hz of the result.
        channels: MIX, or the number of the channel to take, from 1 on.

    Raises:
        AudioContentError: They are no audio, or too short.
    """
    rate = checked_sample_rate(sample_rate)
    mono = ChannelMixer(channels, rate).mix(to_frames(_as_array(samples)))
    duration = len(mono) / rate
    check_duration(duration)
    resampled = _resampled(mono, rate, target_rate)
    gain = FaintSpeechGain(target_rate)
    parts = [gain.feed(resampled), gain.finish()]
    result = parts[0] if not len(parts[1]) else np.concatenate(parts)
    return Waveform(np.ascontiguousarray(result), duration, tuple(gain.remarks))


class WaveformStream:
    """Mixes down, resamples and amplifies endless audio, however it is divided.

    The result is the one that `to_waveform` gives for the whole, but for faint speech, whose gain
    follows what was heard so far. Where the rates differ, some 30 ms stay in the resampler until
    more samples or the end come.

    Args:
        sample_rate: Hz of the samples to come.
        target_rate: Hz of the result.
        channels: MIX, or the number of the channel to take, from 1 on.
        lookahead_seconds: how long faint samples wait for louder ones.
        sample_format: how samples lie in bytes, if bytes are fed; None for 16-bit mono.

    Raises:
        AudioContentError: The sample rate is none, or there cannot be such a channel.
    """

    def __init__(
        self,
        sample_rate: float,
        target_rate: int,
        channels: Channels = MIX,
        lookahead_seconds: float = LOOKAHEAD_SECONDS,
        sample_format: SampleFormat | None = None,
    ) -> None:
        self._rate = checked_sample_rate(sample_rate)
        self._mixer = ChannelMixer(channels, self._rate)
        self._gain = FaintSpeechGain(target_rate, lookahead_seconds)
        self._sample_format = sample_format
        self._bytes: SampleBytes | None = None
        self._samples = 0
        self._resampler = _resampler(self._rate, target_rate)

    @property
    def duration(self) -> float:
        """Seconds of all samples so far."""
        return self._samples / self._rate

    @property
    def warnings(self) -> list[str]:
        """What people should know about the samples, once they have ended."""
        rest = ["it ended inside a sample"] if self._bytes and self._bytes.rest else []
        return [*rest, *self._mixer.remarks, *self._gain.remarks]

    def feed(self, samples: npt.ArrayLike) -> Mono:
        """Return the next samples, as `to_waveform` takes them, at the target rate [samples].

        Raises:
            AudioContentError: They are no audio; they are left out, and the stream can go on.
            AudioFileError: They are the bytes of a file.
            TypeError: They are no samples at all.
        """
        mono = self._mixer.mix(to_frames(self._array(samples)))
        self._samples += len(mono)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono)
        return self._gain.feed(mono)

    def _array(self, samples: npt.ArrayLike) -> npt.NDArray[Any]:
        if isinstance(samples, np.ndarray):
            return samples
        if self._bytes is None:
            from asr_runtime.audio.raw_stream import SampleBytes

            self._bytes = SampleBytes(self._sample_format)
        return self._bytes.array(samples)

    def finish(self) -> Mono:
        """Return what is left at the target rate when the audio ends [samples]."""
        rest: Mono = np.zeros(0, np.float32)
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(rest, last=True)
        return np.concatenate([self._gain.feed(rest), self._gain.finish()])


class Mixdown:
    """Makes mono blocks of the blocks of a file or a pipe.

    What was appended to a file may have another sample rate; it is resampled to that of the
    beginning, so that times stay true.

    Args:
        sample_rate: Hz of the result.
        channels: MIX, or the number of the channel to take, from 1 on.

    Raises:
        AudioContentError: The sample rate is none, or there cannot be such a channel.
    """

    def __init__(self, sample_rate: float, channels: Channels = MIX) -> None:
        self.sample_rate = checked_sample_rate(sample_rate)
        self._mixer = ChannelMixer(channels, sample_rate)
        self._check = SignalCheck()

    @property
    def warnings(self) -> list[str]:
        """What people should know about the samples, once they have ended."""
        return [*self._mixer.remarks, *self._check.remarks]

    def blocks(self, blocks: Iterable[tuple[float, Frames]]) -> Iterator[Mono]:
        """Yield mono samples [samples] for pairs of a rate in Hz and samples [samples, channels].

        Raises:
            AudioContentError: The channel asked for is not there, or a sample rate is none.
        """
        resampler: Any = None
        current = self.sample_rate
        nothing: Mono = np.zeros(0, np.float32)
        for rate, frames in blocks:
            if rate != current:
                checked_sample_rate(rate)
                if resampler is not None:
                    yield resampler.resample_chunk(nothing, last=True)
                resampler, current = _resampler(rate, self.sample_rate), rate
            self._check.add(frames)
            mono = self._mixer.mix(frames)
            yield mono if resampler is None else resampler.resample_chunk(mono)
        if resampler is not None:
            yield resampler.resample_chunk(nothing, last=True)


def _as_array(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    if isinstance(samples, np.ndarray):
        return samples
    from asr_runtime.audio.raw_stream import as_array

    return as_array(samples)


def _resampler(rate: float, target_rate: float) -> Any:
    if rate == target_rate:
        return None
    import soxr  # type: ignore[import-untyped, unused-ignore]

    return soxr.ResampleStream(rate, target_rate, 1, dtype="float32", quality="HQ")


def _resampled(mono: Mono, rate: float, target_rate: int) -> Mono:
    if rate == target_rate:
        return mono
    import soxr

    resampled = soxr.resample(mono, rate, target_rate, quality="HQ")
    return np.ascontiguousarray(resampled, dtype=np.float32)
