"""What a file or a pipe carries, told from its first bytes; its name says nothing.

What takes the kinds apart is imported when it is needed, so that the command starts quickly.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from asr_runtime.audio.layout import id3_size

START_BYTES = 4096
"""Bytes that tell what they begin."""

CHECK = "check whether it plays elsewhere"
"""What to do about a file that a decoder refuses."""

CONVERT = "ffmpeg -i INPUT -f wav - | asr-run listen -"
"""What makes a WAV stream of anything else."""


WAV_FORMS = (b"RIFF", b"RIFX", b"RF64")
"""What a WAV begins with."""

_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"


class Route(Enum):
    """Who takes a kind of file apart."""

    WAV = "wav_stream"
    FLAC = "flac_layout"
    OGG = "ogg_layout"
    MPEG = "mpeg_layout"
    CHUNKS = "chunk_layout"
    MEDIA = "media"
    UNKNOWN = "unknown"


class FileKind(NamedTuple):
    """A kind of file.

    Attributes:
        name: what people call it.
        route: who takes it apart.
        begin: where it begins, behind a tag.
    """

    name: str
    route: Route
    begin: int = 0


_MEDIA = (
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "WMA or ASF"),
    (0, b"#!AMR", "AMR"),
    (0, b"ADIF", "AAC"),
    (0, b"FLV\x01", "Flash video"),
    (0, b".RMF", "RealMedia"),
    (0, b"\x00\x00\x01\xba", "MPEG video"),
    (0, b"\x00\x00\x01\xb3", "MPEG video"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"TTA1", "True Audio"),
    (0, b"\x0bw", "AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (4, b"moov", "QuickTime"),
    (4, b"mdat", "QuickTime"),
    (4, b"wide", "QuickTime"),
)

_BRANDS = (
    (b"M4A", "M4A (AAC)"),
    (b"M4B", "M4A (AAC)"),
    (b"qt", "QuickTime"),
    (b"3g", "3GP"),
    (b"", "MP4"),
)


def file_kind(start: bytes) -> FileKind:
    """Return the kind of a file.

    Args:
        start: its first START_BYTES, or all if there are fewer. An ID3 tag may be longer; the kind
            is then unknown, unless the caller gives what is behind it.
    """
    tag = id3_size(start)
    if tag and len(start) >= tag + 4:
        inner = file_kind(start[tag:])
        if inner.route is not Route.UNKNOWN:
            return FileKind(inner.name, inner.route, tag + inner.begin)
    if tag:
        return FileKind("MP3", Route.MPEG)
    return _kind(start)


def is_wav(start: bytes) -> bool:
    """Whether the first 12 bytes are a WAV's: RIFF, the big-endian RIFX, or RF64."""
    return start[:4] in WAV_FORMS and start[8:12] == b"WAVE"


def chunked_kind(start: bytes) -> str | None:
    """Return "AIFF", "AU", "W64" or "CAF" for the first 16 bytes of such a file, else None."""
    if start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if start[:4] in (b".snd", b"dns."):
        return "AU"
    if start[:16] == _W64_RIFF:
        return "W64"
    return "CAF" if start[:4] == b"caff" else None


def _kind(start: bytes) -> FileKind:
    if is_wav(start[:12]):
        return FileKind("WAV", Route.WAV)
    if start.startswith(b"fLaC"):
        return FileKind("FLAC", Route.FLAC)
    if start.startswith(b"OggS"):
        from asr_runtime.audio.ogg_layout import DECODABLE, ogg_codec

        codec = ogg_codec(start)
        if codec is not None and codec not in DECODABLE:
            return FileKind(f"Ogg {codec}", Route.MEDIA)
        return FileKind("Ogg" if codec is None else f"Ogg {codec}", Route.OGG)
    chunked = chunked_kind(start[:16])
    if chunked is not None:
        return FileKind(chunked, Route.CHUNKS)
    if start[4:8] == b"ftyp":
        name = next(name for brand, name in _BRANDS if start[8:].startswith(brand))
        return FileKind(name, Route.MEDIA)
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return FileKind("AVI", Route.MEDIA)
    for at, magic, name in _MEDIA:
        if start.startswith(magic, at):
            return FileKind(name, Route.MEDIA)
    # Packets of 188 bytes that all begin alike.
    if len(start) > 3 * 188 and all(start[at] == 0x47 for at in (0, 188, 376)):
        return FileKind("MPEG-TS", Route.MEDIA)
    if start[:1] == b"\xff" and start[1:2] >= b"\xe0":
        return _mpeg_audio(start)
    return FileKind("", Route.UNKNOWN)


def _mpeg_audio(start: bytes) -> FileKind:
    """Tell MP3 from AAC, whose frames begin with the same bits."""
    if start[1] & 0xF6 == 0xF0 and len(start) >= 7:
        size = (start[3] & 3) << 11 | start[4] << 3 | start[5] >> 5
        following = start[size : size + 2]
        if size >= 7 and (len(following) < 2 or (following[0] == 0xFF and following[1] >= 0xF0)):
            return FileKind("AAC", Route.MEDIA)
    from asr_runtime.audio.mpeg_layout import parse_frame_header

    if parse_frame_header(start[:4]) is not None:
        return FileKind("MP3", Route.MPEG)
    return FileKind("", Route.UNKNOWN)
