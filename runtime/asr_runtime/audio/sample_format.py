"""How samples lie in bytes, and back to numbers: PCM, float, µ-law and A-law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from asr_runtime.audio.samples import Frames, checked_sample_rate, to_float
from asr_runtime.errors import AudioContentError

INT24 = "i3"
"""Three bytes a sample, which numpy has no type for."""

MU_LAW, A_LAW = "mulaw", "alaw"
"""Telephone codings of a byte a sample (ITU-T G.711)."""

TELEPHONE_RATE = 8000
"""Hz of µ-law and A-law, unless something else is said."""

MOST_CHANNELS = 1024
"""libsndfile's limit, too."""

_RAW = {
    "u8": ("u1", False),
    "s8": ("i1", False),
    "s16le": ("i2", False),
    "s16be": ("i2", True),
    "s24le": (INT24, False),
    "s24be": (INT24, True),
    "s32le": ("i4", False),
    "s32be": ("i4", True),
    "f32le": ("f4", False),
    "f32be": ("f4", True),
    "f64le": ("f8", False),
    "f64be": ("f8", True),
    "mulaw": (MU_LAW, False),
    "alaw": (A_LAW, False),
}

RAW_FORMATS = tuple(_RAW)
"""Names of raw formats; they are ffmpeg's."""


@dataclass(frozen=True)
class SampleFormat:
    """Interleaved samples.

    Attributes:
        sample_rate: Hz.
        channels: number of channels.
        encoding: a numpy type without its byte order ("u1", "i1", "i2", "i4", "f4", "f8"), or one
            of INT24, MU_LAW and A_LAW.
        big_endian: whether the most significant byte comes first.
    """

    sample_rate: float
    channels: int
    encoding: str
    big_endian: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        width = 1 if self.encoding in (MU_LAW, A_LAW) else int(self.encoding[1:])
        return width * self.channels

    def decode(self, data: bytes) -> Frames:
        """Return whole frames as float32 samples [samples, channels], -1..1."""
        order = ">" if self.big_endian else "<"
        if self.encoding == INT24:
            # The upper three bytes of 32-bit samples.
            wide = np.zeros((len(data) // 3, 4), np.uint8)
            part = slice(0, 3) if self.big_endian else slice(1, 4)
            wide[:, part] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            samples = to_float(wide.reshape(-1).view(order + "i4"))
        elif self.encoding in (MU_LAW, A_LAW):
            samples = _companded(self.encoding)[np.frombuffer(data, np.uint8)]
        else:
            samples = to_float(np.frombuffer(data, order + self.encoding))
        return samples.reshape(-1, self.channels)


def raw_format(name: str = "s16le", sample_rate: float | None = None) -> SampleFormat:
    """Return the format of samples without a header.

    Args:
        name: one of RAW_FORMATS, with the number of channels behind a colon if it is not one, as in
            "f32le:2".
        sample_rate: Hz; None for TELEPHONE_RATE, which only µ-law and A-law have by themselves.

    Raises:
        AudioContentError: There is no such format, or the sample rate is missing or impossible.
    """
    encoding, _, channels = name.partition(":")
    known = _RAW.get(encoding)
    if known is None or not (channels or "1").isdecimal():
        raise AudioContentError(
            f"there is no raw format {name!r}; give one of {', '.join(RAW_FORMATS)}, "
            "with :2 behind it for two channels"
        )
    count = int(channels or "1")
    if not 1 <= count <= MOST_CHANNELS:
        raise AudioContentError(f"raw audio has 1 to {MOST_CHANNELS} channels, not {count}")
    if sample_rate is None:
        if encoding not in (MU_LAW, A_LAW):
            raise AudioContentError(f"raw format {name} needs a sample rate; give it in Hz")
        sample_rate = TELEPHONE_RATE
    sample_format = SampleFormat(checked_sample_rate(sample_rate), count, known[0])
    return replace(sample_format, big_endian=known[1])


@cache
def _companded(encoding: str) -> Frames:
    """Return the values of the 256 codes of µ-law or A-law (ITU-T G.711), -1..1."""
    code = np.arange(256)
    if encoding == MU_LAW:
        code = ~code & 0xFF
        exponent, mantissa = code >> 4 & 7, code & 15
        size = ((mantissa << 3) + 0x84 << exponent) - 0x84
        value = np.where(code & 0x80, -size, size)
    else:
        code = code ^ 0x55
        exponent, mantissa = code >> 4 & 7, code & 15
        size = (mantissa << 4) + 8
        size = np.where(exponent > 0, size + 0x100 << np.maximum(exponent, 1) - 1, size)
        value = np.where(code & 0x80, size, -size)
    return (value / 32768.0).astype(np.float32)
