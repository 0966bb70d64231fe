"""Whether a video or a phone's recording is several files, one appended to the other."""

from __future__ import annotations

import re
from typing import BinaryIO


def holds_several(file: BinaryIO, name: str) -> bool:
    """Whether a seekable file is several of its kind, one appended to the other.

    ffmpeg and players stop at the end of the first one, without a word.
    """
    watch = JoinWatch(name)
    file.seek(0)
    while data := file.read(_SEARCH_BYTES):
        if watch.found(data):
            return True
    return False


class JoinWatch:
    """Looks for the beginning of another file within the bytes of one."""

    def __init__(self, name: str) -> None:
        # MP4 and its kin share a beginning; the names tell who made them.
        self._anchor, self._pattern = _BEGINNINGS.get(name, _MP4_BEGINNING)
        if name not in _BEGINNINGS and name not in _MP4_NAMES:
            self._anchor = b""
        self._tail = b""
        self._is_first = True

    def found(self, data: bytes) -> bool:
        """Look at the next bytes."""
        if not self._anchor:
            return False
        # Of the first file's own beginning the search leaves out the first bytes.
        window = self._tail + data
        at = window.find(self._anchor, len(self._anchor) + 8 if self._is_first else 0)
        while at >= 0:
            if self._pattern.match(window, max(at - 4, 0)):
                return True
            at = window.find(self._anchor, at + 1)
        self._is_first = False
        self._tail = window[-_BEGINNING_BYTES:]
        return False


_BEGINNING_BYTES = 64
_SEARCH_BYTES = 1 << 20
_MP4_NAMES = frozenset({"M4A (AAC)", "QuickTime", "3GP", "MP4"})
_MP4_BEGINNING = (b"ftyp", re.compile(rb"\0\0[\0-\3].ftyp[ -~]{4}", re.DOTALL))
_BEGINNINGS = {
    "WebM or Matroska": (
        b"\x1aE\xdf\xa3",
        re.compile(rb".{4}\x1aE\xdf\xa3.{1,40}B\x82.{1,8}(?:webm|matroska)", re.DOTALL),
    ),
    "WMA or ASF": (
        b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel",
        re.compile(rb".{4}0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel", re.DOTALL),
    ),
    "Flash video": (b"FLV\x01", re.compile(rb".{4}FLV\x01[\0-\5]\0\0\0\x09", re.DOTALL)),
    "True Audio": (b"TTA1", re.compile(rb".{4}TTA1[\1\2]\0", re.DOTALL)),
}
