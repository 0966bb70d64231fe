"""What a file of audio consists of: one recording or several, and what is missing of them."""

from __future__ import annotations

from typing import NamedTuple

from asr_runtime.audio.byte_view import Extent

# Writers that cannot seek back leave a size that only means "until the end": ffmpeg and most others
# 0xFFFFFFFF or 0, arecord 0x80000000, SoX 0x7FFFF000; some subtract or add a header's. All other
# sizes are believed: a file of 3 GB may be cut off too.
_PLACEHOLDERS = (range(0x7FFFF000, 0x80001000), range(0xFFFFF000, 0x100000000))


def is_placeholder(size: int) -> bool:
    """Whether a size of 32 bits only means "until the end"; 0 may mean it too."""
    return any(size in sizes for sizes in _PLACEHOLDERS)


class Recording(NamedTuple):
    """One recording within a file, as its decoder takes it.

    Attributes:
        extents: the parts of the file that it consists of.
        prefix: bytes that the decoder gets before them, such as a header with the right size.
        frames: samples of each channel that it holds, or None if that is not known.
        slack: samples of each channel by which a decoder may fall short of ``frames``.
        sample_rate: Hz, or None if only the decoder knows it.
    """

    extents: tuple[Extent, ...]
    prefix: bytes = b""
    frames: int | None = None
    slack: int = 0
    sample_rate: float | None = None


class Layout(NamedTuple):
    """The recordings of a file, in their order.

    Files that were joined by appending one to the other hold several. Decoders stop after the
    first one, without a word.

    Attributes:
        recordings: what can be decoded.
        problem: what is missing or damaged, for people; None if the file is whole.
        remarks: what is odd about the file although nothing of its audio is missing.
    """

    recordings: tuple[Recording, ...]
    problem: str | None = None
    remarks: tuple[str, ...] = ()


def whole_file(size: int, problem: str | None = None) -> Layout:
    """Return the layout of a file of ``size`` bytes that its decoder reads as it is."""
    return Layout((Recording(((0, size),)),), problem)


def id3_size(start: bytes) -> int:
    """Return the size in bytes of the ID3v2 tag that ``start`` begins with, 0 if there is none.

    Args:
        start: at least the first 10 bytes, of which none is looked at beyond.
    """
    if start[:3] != b"ID3" or len(start) < 10 or max(start[6:10]) >= 0x80:
        return 0
    # Four times 7 bits; the footer that a flag announces is not counted in them.
    size = 10 + sum(byte << shift for byte, shift in zip(start[6:10], (21, 14, 7, 0), strict=True))
    return size + (10 if start[5] & 0x10 else 0)
