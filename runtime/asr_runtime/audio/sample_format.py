"""How samples lie in bytes, and back to numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr_runtime.audio.waveform import to_float

INT24 = "i3"
"""Three bytes a sample, which numpy has no type for."""


@dataclass(frozen=True)
class SampleFormat:
    """Interleaved samples.

    encoding: a numpy type without its byte order ("u1", "i2", "i4", "f4", "f8"), or INT24.
    """

    sample_rate: float
    channels: int
    encoding: str
    big_endian: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return int(self.encoding[1:]) * self.channels

    def decode(self, data: bytes) -> npt.NDArray[np.float32]:
        """Whole frames as mono samples [samples], -1..1; channels are averaged."""
        order = ">" if self.big_endian else "<"
        if self.encoding == INT24:
            # The upper three bytes of 32-bit samples.
            wide = np.zeros((len(data) // 3, 4), np.uint8)
            part = slice(0, 3) if self.big_endian else slice(1, 4)
            wide[:, part] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            samples = wide.reshape(-1).view(order + "i4")
        else:
            samples = np.frombuffer(data, order + self.encoding)
        frames = to_float(samples).reshape(-1, self.channels)
        return frames[:, 0].copy() if self.channels == 1 else frames.mean(axis=1)
