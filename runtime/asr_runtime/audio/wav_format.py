"""What a WAV header says about its samples, and whether it contradicts itself.

The same is said several times: by the channels and bits, by the bytes for a sample of each channel,
and by the bytes a second. Audio that is read by a damaged one of them is noise, or too fast.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from asr_runtime.audio.sample_format import A_LAW, MOST_CHANNELS, MU_LAW, SampleFormat
from asr_runtime.audio.samples import checked_sample_rate
from asr_runtime.errors import AudioFileError

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_ENCODINGS = {
    _PCM: {1: "u1", 2: "i2", 3: "i3", 4: "i4"},
    _FLOAT: {4: "f4", 8: "f8"},
    _ALAW: {1: A_LAW},
    _MULAW: {1: MU_LAW},
}
_CODINGS = {2: "ADPCM", 0x11: "ADPCM", 0x31: "GSM", 0x55: "MP3", 0xFF: "AAC", 0x161: "WMA"}
_RATE_TOLERANCE = 0.001  # by which the two may differ without a remark


class WavFormat(NamedTuple):
    """How the samples of a WAV lie in bytes.

    Attributes:
        format: how they lie, or None if they are coded in another way.
        coded: what they are coded with, for people.
        remark: what is odd about it, for people; or None.
    """

    format: SampleFormat | None
    coded: str
    remark: str | None = None


def read_wav_format(chunk: bytes, order: str, advice: str) -> WavFormat:
    """Read the chunk that describes the samples.

    Args:
        chunk: its first 40 bytes, or fewer if it is shorter.
        order: of the bytes in numbers, as `struct` writes it.
        advice: what to do about one that is damaged.

    Raises:
        AudioFileError: It is too short or contradicts itself.
        AudioContentError: It states a sample rate that nothing records with.
    """
    if len(chunk) < 16:
        raise damaged_wav("describes the samples too shortly", advice)
    coding, channels, sample_rate, byte_rate, frame_bytes, bits = struct.unpack_from(
        order + "HHIIHH", chunk
    )
    if coding == _EXTENSIBLE and len(chunk) >= 26:
        coding = struct.unpack_from(order + "H", chunk, 24)[0]
    if not 1 <= channels <= MOST_CHANNELS:
        raise damaged_wav(f"says {channels} channels", advice)
    rate = checked_sample_rate(sample_rate)
    width = (bits + 7) // 8
    if width == 3 and frame_bytes == 4 * channels:
        width = 4  # 24 bits, to the left
    encoding = _ENCODINGS.get(coding, {}).get(width)
    if encoding is None:
        coded = f"{8 * width}-bit samples of the kind {coding:#x}"
        return WavFormat(None, _CODINGS.get(coding, coded))
    sample_format = SampleFormat(rate, channels, encoding, order == ">")
    if frame_bytes not in (0, sample_format.frame_bytes):
        raise damaged_wav(
            f"contradicts itself: {channels} x {bits} bits in {frame_bytes} bytes", advice
        )
    other_rate = byte_rate / sample_format.frame_bytes
    remark = None
    if byte_rate and abs(other_rate / rate - 1) > _RATE_TOLERANCE:
        remark = (
            f"its WAV header states two sample rates, {rate:g} and {other_rate:g} Hz; it was read "
            f"at {rate:g} Hz"
        )
    return WavFormat(sample_format, encoding, remark)


def damaged_wav(what: str, advice: str) -> AudioFileError:
    """Return the error for a WAV header that cannot be used."""
    return AudioFileError(f"is cut off or damaged (the WAV header {what}); {advice}")
