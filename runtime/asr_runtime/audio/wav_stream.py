"""WAV that comes through a pipe: a header whose sizes may mean nothing, then samples."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from asr_runtime.audio.byte_stream import ByteStream
from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.audio.wav_header import SMALLEST_PLACEHOLDER
from asr_runtime.audio.waveform import checked_sample_rate
from asr_runtime.errors import AudioFileError

CONVERT = "ffmpeg -i INPUT -f wav - | asr-run --stream -"
"""What makes a WAV stream of anything else."""

_MOST_CHANNELS = 1024  # libsndfile's limit too

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_ENCODINGS = {
    _PCM: {1: "u1", 2: "i2", 3: "i3", 4: "i4"},
    _FLOAT: {4: "f4", 8: "f8"},
}
_CODINGS = {2: "ADPCM", 6: "A-law", 7: "µ-law", 0x11: "ADPCM", 0x31: "GSM", 0x55: "MP3"}

# What writers put behind the samples. Anything else there means that the header's size was wrong.
_CHUNKS_AFTER_SAMPLES = frozenset(
    b"LIST,INFO,id3 ,ID3 ,fact,PEAK,cue ,plst,labl,note,adtl,bext,iXML,axml,_PMX,smpl,inst,acid,"
    b"cart,chna,umid,afsp,JUNK,junk,PAD ,FLLR,data".split(b",")
)


@dataclass(frozen=True)
class WavHeader:
    """What stands before the samples.

    data_bytes: their size, or None if the header leaves it open.
    """

    format: SampleFormat
    data_bytes: int | None


def is_wav(start: bytes) -> bool:
    """Whether the first 12 bytes are a WAV's."""
    return start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:12] == b"WAVE"


def read_wav_header(stream: ByteStream) -> WavHeader:
    """Read up to the first sample; chunks before the samples are skipped.

    Raises AudioFileError if there is no usable header, and AudioContentError for a sample rate
    that nothing records with.
    """
    order = ">" if stream.exactly(12)[:4] == b"RIFX" else "<"
    sample_format: SampleFormat | None = None
    long_size: int | None = None
    while len(head := stream.exactly(8)) == 8:
        size: int
        name, size = struct.unpack(order + "4sI", head)
        if name == b"data":
            if sample_format is None:
                raise _damaged("does not describe the samples")
            if size == 0xFFFFFFFF and long_size is not None:
                # A 64-bit size that is not known is as large, or 0.
                size = long_size if long_size < 1 << 62 else 0
                return WavHeader(sample_format, size)
            return WavHeader(sample_format, None if size >= SMALLEST_PLACEHOLDER else size)
        content = stream.exactly(min(size, 40))
        if name == b"fmt ":
            sample_format = _sample_format(content, order)
        elif name == b"ds64" and len(content) >= 16:
            long_size = struct.unpack_from("<Q", content, 8)[0]
        stream.skip(size + size % 2 - len(content))  # chunks are padded to an even length
    raise _damaged("ends before the audio")


def _sample_format(chunk: bytes, order: str) -> SampleFormat:
    if len(chunk) < 16:
        raise _damaged("describes the samples too shortly")
    coding, channels, sample_rate, _, frame_bytes, bits = struct.unpack_from(
        order + "HHIIHH", chunk
    )
    if coding == _EXTENSIBLE and len(chunk) >= 26:
        coding = struct.unpack_from(order + "H", chunk, 24)[0]
    if not 1 <= channels <= _MOST_CHANNELS:
        raise _damaged(f"says {channels} channels")
    # 24 bits may lie in 4 bytes, to the left.
    width = max(frame_bytes // channels, (bits + 7) // 8)
    encoding = _ENCODINGS.get(coding, {}).get(width)
    if encoding is None:
        coded = _CODINGS.get(coding, f"{8 * width}-bit samples of the kind {coding:#x}")
        raise AudioFileError(f"is WAV with {coded}; give 16-bit samples: {CONVERT}")
    return SampleFormat(checked_sample_rate(sample_rate), channels, encoding, order == ">")


def read_wav_samples(stream: ByteStream, header: WavHeader) -> Iterator[bytes]:
    """The bytes of the samples, as they come, until the stream or the samples end.

    The header's size is believed if the stream ends there or chunks follow; a size of 0 or one that
    more samples follow means nothing. Raises AudioFileError at the end of a stream that ends sooner
    than its header says.
    """
    remaining = header.data_bytes
    while remaining:
        piece = stream.some(remaining)
        if not piece:
            raise _ends_early(header.format, remaining)
        remaining -= len(piece)
        yield piece
    if header.data_bytes is not None:
        padding = header.data_bytes % 2
        following = stream.exactly(padding + 4)
        if len(following) <= padding or following[padding:] in _CHUNKS_AFTER_SAMPLES:
            return
        stream.put_back(following)
    while piece := stream.some():
        yield piece


def _damaged(what: str) -> AudioFileError:
    return AudioFileError(f"is cut off or damaged (the WAV header {what}); check what sends it")


def _ends_early(sample_format: SampleFormat, missing: int) -> AudioFileError:
    seconds = missing / sample_format.frame_bytes / sample_format.sample_rate
    return AudioFileError(
        f"ended {seconds:.2f} s before the end that its WAV header promises; check what sends it"
    )
