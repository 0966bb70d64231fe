"""The pages of an Ogg file (RFC 3533): its recordings, and pages that are damaged or missing.

An Ogg file may be a chain: whole files, called links, one behind the other. Decoders skip a page
whose checksum is wrong and go on behind pages that are missing, so both are looked for here.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from asr_runtime.audio.byte_view import Extent, file_size, read_at
from asr_runtime.audio.layout import Layout, Recording

_PAGE = struct.Struct("<4sBBQIII")  # and the number of segments, one byte
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_GRANULE = (1 << 64) - 1

_CODECS = {
    b"\x01vorbis": "Vorbis",
    b"OpusHead": "Opus",
    b"\x7fFLAC": "FLAC",
    b"Speex   ": "Speex",
}

DECODABLE = frozenset({"Vorbis", "Opus", "FLAC"})
"""What libsndfile decodes."""

# Ogg's checksum is zlib's polynomial with the bits of every byte and of the result reversed.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass
class _Stream:
    """The pages of one logical stream of a link."""

    codec: str | None
    start: bytes
    sequence: int = -1
    ended: bool = False
    granule: int = 0
    pages: list[Extent] = field(default_factory=list)
    bodies: list[Extent] = field(default_factory=list)

    @property
    def sample_rate(self) -> int | None:
        """Hz of what the granule positions count, or None."""
        if self.codec == "Opus":
            return 48_000
        if self.codec == "Vorbis" and len(self.start) >= 16:
            return int(struct.unpack_from("<I", self.start, 12)[0])
        if self.codec == "FLAC" and len(self.start) >= 30:
            return int.from_bytes(self.start[27:30], "big") >> 4
        return None


def ogg_codec(start: bytes) -> str | None:
    """Return the codec of an Ogg file from its first bytes, or None if it is none of the known."""
    packet = start[28:] if len(start) > 28 else b""
    return next((name for magic, name in _CODECS.items() if packet.startswith(magic)), None)


def read_ogg_layout(file: BinaryIO, begin: int = 0) -> Layout:
    """Read all pages of a seekable Ogg file.

    Args:
        file: an Ogg file.
        begin: where its first page is, a byte's index.

    Returns:
        A recording for every link that has audio. Pages of other streams, such as a video's, are
        left out.
    """
    size = file_size(file)
    links: list[dict[int, _Stream]] = []
    problem: str | None = None
    in_heads = False
    position = begin
    file.seek(position)
    while position < size:
        head = file.read(27)
        sizes = file.read(head[26]) if len(head) == 27 else b""
        if head[:4] != b"OggS"[: len(head[:4])] or not head:
            problem = problem or _foreign(file, position, size, links)
            break
        body_size = sum(sizes)
        body = file.read(body_size)
        if len(head) < 27 or len(sizes) < head[26] or len(body) < body_size:
            problem = problem or "the last Ogg page is cut off"
            break
        _, _, flags, granule, serial, sequence, checksum = _PAGE.unpack_from(head)
        if checksum != _checksum(head[:22] + bytes(4) + head[26:] + sizes + body):
            problem = problem or f"the Ogg page at byte {position} is damaged"
        if flags & _FIRST:
            if not in_heads:
                links.append({})
            in_heads = True
            codec = next((name for magic, name in _CODECS.items() if body.startswith(magic)), None)
            links[-1][serial] = _Stream(codec, body)
        else:
            in_heads = False
        stream = links[-1].get(serial) if links else None
        if stream is None:
            problem = problem or f"the Ogg page at byte {position} belongs to no stream"
            break
        if sequence != stream.sequence + 1 and not flags & _FIRST:
            problem = problem or _gap(stream, sequence)
        stream.sequence = sequence
        end = position + 27 + len(sizes) + body_size
        _append(stream.pages, position, end)
        _append(stream.bodies, end - body_size, end)
        if granule != _NO_GRANULE:
            stream.granule = granule
        stream.ended = stream.ended or bool(flags & _LAST)
        position = end
    audio = [
        next(stream for stream in link.values() if stream.codec in DECODABLE)
        for link in links
        if any(stream.codec in DECODABLE for stream in link.values())
    ]
    if problem is None and not all(stream.ended for stream in audio):
        problem = "the Ogg stream has no end mark"
    return Layout(tuple(map(_recording, audio)), problem)


def _checksum(page: bytes) -> int:
    value = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)


def _append(extents: list[Extent], start: int, stop: int) -> None:
    if extents and extents[-1][1] == start:
        extents[-1] = (extents[-1][0], stop)
    else:
        extents.append((start, stop))


def _gap(stream: _Stream, sequence: int) -> str:
    rate = stream.sample_rate
    where = f" after {stream.granule / rate:.2f} s" if rate else ""
    return f"Ogg pages {stream.sequence + 1} to {sequence - 1} are missing{where}"


def _foreign(
    file: BinaryIO, position: int, size: int, links: list[dict[int, _Stream]]
) -> str | None:
    """Judge what stands where an Ogg page should: a tag or padding at the end is no harm."""
    ended = bool(links) and all(stream.ended for stream in links[-1].values())
    rest = read_at(file, position, 1 << 16)
    if ended and (not rest.strip(b"\0") or rest.startswith((b"TAG", b"ID3", b"APETAGEX"))):
        return None
    if size - position < 27 and b"OggS".startswith(rest[:4]):
        return "the last Ogg page is cut off"
    return f"there is no Ogg page at byte {position} where one should be"


def _recording(stream: _Stream) -> Recording:
    if stream.codec != "FLAC":
        return Recording(tuple(stream.pages), sample_rate=stream.sample_rate)
    # The packets of FLAC in Ogg, joined, are a FLAC file behind the 9 bytes of the first one's own.
    (start, stop), *others = stream.bodies
    frames = stream.granule or None
    return Recording(((start + 9, stop), *others), frames=frames, sample_rate=stream.sample_rate)
