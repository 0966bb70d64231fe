"""The FLAC recordings of a file, and how many samples each of them really has.

Decoders believe the number of samples that the first header states, and stop there even if more
frames or a second file follow. The numbers in the headers of the frames do not lie (RFC 9639).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from asr_runtime.audio.byte_view import file_size, read_at
from asr_runtime.audio.layout import Layout, Recording

_MARK = b"fLaC"
_STARTS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
_READ_BYTES = 1 << 20
_TAIL_BYTES = 1 << 16
_KILOHERTZ = (88.2, 176.4, 192, 8, 16, 22.05, 24, 32, 44.1, 48, 96)
_RATES = {code: round(1000 * rate) for code, rate in enumerate(_KILOHERTZ, 1)}
"""Hz, by their code in the header of a frame (RFC 9639, 9.1.2)."""
_BLOCK_SIZES = {1: 192, **{code: 576 << (code - 2) for code in range(2, 6)}} | {
    code: 256 << (code - 8) for code in range(8, 16)
}


def _crc8_table() -> bytes:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value << 1 ^ (0x07 if value & 0x80 else 0)) & 0xFF
        table.append(value)
    return bytes(table)


_CRC8 = _crc8_table()


@dataclass(frozen=True)
class _Frame:
    """Header of a frame: its first sample's index within the recording, and its samples."""

    first: int
    samples: int
    shape: tuple[int, int, int]


def read_flac_layout(file: BinaryIO, begin: int = 0) -> Layout:
    """Find every FLAC recording in a seekable file.

    Args:
        file: the file.
        begin: where the first recording begins, a byte's index.
    """
    size = file_size(file)
    starts = [begin, *_find_starts(file, begin + 4)]
    recordings = [
        _recording(file, start, stop)
        for start, stop in zip(starts, [*starts[1:], size], strict=True)
    ]
    # libFLAC finds all other damage by the checksums of the frames.
    return Layout(tuple(recordings), _two_rates(file, recordings))


def _two_rates(file: BinaryIO, recordings: list[Recording]) -> str | None:
    """Return what is wrong if a header states another sample rate than its frames."""
    for recording in recordings:
        begin, stop = recording.extents[0]
        frames_at = begin if recording.prefix else _behind_metadata(file, begin + 4, stop)
        head = b"" if frames_at is None else read_at(file, frames_at, 16)
        rate = _RATES.get(head[2] & 15) if len(head) > 2 and head[:1] == b"\xff" else None
        if rate and recording.sample_rate and rate != recording.sample_rate:
            return f"the FLAC header states {recording.sample_rate:g} Hz and its frames {rate} Hz"
    return None


def _find_starts(file: BinaryIO, begin: int) -> list[int]:
    """Return where recordings begin, behind ``begin``."""
    starts = []
    overlap = len(_STARTS[0]) - 1
    position = begin
    while len(data := read_at(file, position, _READ_BYTES + overlap)) > overlap:
        at = data.find(_MARK)
        while at >= 0:
            if data.startswith(_STARTS, at) and at < _READ_BYTES:
                starts.append(position + at)
            at = data.find(_MARK, at + 1)
        position += _READ_BYTES
    return starts


def _recording(file: BinaryIO, start: int, stop: int) -> Recording:
    head = read_at(file, start, 42)
    if len(head) < 42 or head[4] & 0x7F:
        return Recording(((start, stop),))
    sample_rate = int.from_bytes(head[18:21], "big") >> 4
    stated = int.from_bytes(head[21:26], "big") & (1 << 36) - 1
    block = int.from_bytes(head[8:10], "big")
    frames_at = _behind_metadata(file, start + 4, stop)
    if frames_at is None:
        return Recording(((start, stop),))
    first = _parse_frame(read_at(file, frames_at, 16), block)
    if stop - frames_at > 128 and read_at(file, stop - 128, 3) == b"TAG":
        stop -= 128  # an ID3v1 tag, in which a decoder would look for frames
    last = None if first is None else _last_frame(file, frames_at, stop, block, first)
    if first is None or last is None:
        return Recording(((start, stop),), frames=stated or None, sample_rate=sample_rate)
    found = last.first + last.samples - first.first
    if not stated or found > stated:
        # The header leaves the number open, or there are more.
        total = (int.from_bytes(head[21:26], "big") >> 36 << 36 | found).to_bytes(5, "big")
        header = head[:21] + total + head[26:]
        return Recording(((start + 42, stop),), header, found, sample_rate=sample_rate)
    return Recording(((start, stop),), frames=stated, sample_rate=sample_rate)


def _behind_metadata(file: BinaryIO, position: int, stop: int) -> int | None:
    """Return where the frames begin, or None if they do not."""
    while position + 4 <= stop:
        head = read_at(file, position, 4)
        position += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            return position if position < stop else None
    return None


def _last_frame(file: BinaryIO, begin: int, stop: int, block: int, first: _Frame) -> _Frame | None:
    """Return the last frame that begins between two bytes, or None."""
    low = max(begin, stop - _TAIL_BYTES)
    data = read_at(file, low, stop - low)
    at = data.rfind(b"\xff")
    while at >= 0:
        frame = _parse_frame(data[at : at + 16], block)
        if frame is not None and frame.shape == first.shape and frame.first >= first.first:
            return frame
        at = data.rfind(b"\xff", 0, at)
    return None


def _parse_frame(head: bytes, block: int) -> _Frame | None:
    """Return what the header of a frame says, or None for bytes that are none.

    Args:
        head: its first 16 bytes, or fewer at the end of the file.
        block: samples of every block but the last, if they all have as many.
    """
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 15
    number, at = _coded_number(head)
    if number is None or size_code == 0 or rate_code == 15:
        return None
    if size_code in (6, 7):
        width = size_code - 5
        samples = int.from_bytes(head[at : at + width], "big") + 1
        at += width
    else:
        samples = _BLOCK_SIZES[size_code]
    at += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if at >= len(head):
        return None
    checksum = 0
    for byte in head[:at]:
        checksum = _CRC8[checksum ^ byte]
    if checksum != head[at]:
        return None
    varies = head[1] & 1
    return _Frame(
        number if varies else number * block, samples, (varies, rate_code, head[3] >> 1 & 7)
    )


def _coded_number(head: bytes) -> tuple[int | None, int]:
    """Return the number at byte 4, coded as in UTF-8, and where it ends."""
    lead = head[4]
    if lead < 0x80:
        return lead, 5
    extra = 0
    while lead << (extra + 1) & 0x80:
        extra += 1
    if not 1 <= extra <= 6 or len(head) < 5 + extra:
        return None, 5
    number = lead & (0x3F >> extra)
    for byte in head[5 : 5 + extra]:
        if byte & 0xC0 != 0x80:
            return None, 5
        number = number << 6 | byte & 0x3F
    return number, 5 + extra
