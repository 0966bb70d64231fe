"""Checksums set right after a change, so that what they guard is reached."""

from __future__ import annotations

import hashlib
import json
import re

_MAGIC_BYTES = 12
"""Magic of a language model file, and the header's length."""


def repair_ogg(content: bytes) -> bytes:
    """Set the checksum of every page that is found in an Ogg file."""
    repaired = bytearray(content)
    for match in re.finditer(b"OggS", content):
        start = match.start()
        header = content[start : start + 27]
        segments = content[start + 27 : start + 27 + header[26]] if len(header) == 27 else b""
        end = start + 27 + len(segments) + sum(segments)
        if end > len(content) or not segments:
            continue
        repaired[start + 22 : start + 26] = bytes(4)
        checksum = _ogg_checksum(repaired[start:end])
        repaired[start + 22 : start + 26] = checksum.to_bytes(4, "little")
    return bytes(repaired)


def repair_language_model(content: bytes) -> bytes:
    """Return a language model whose header has the size and checksum of the arrays that follow.

    Where the header cannot be read, the content as it is.
    """
    end = _MAGIC_BYTES + int.from_bytes(content[8:_MAGIC_BYTES], "little")
    try:
        header = json.loads(content[_MAGIC_BYTES:end])
        header["bytes"] = len(content) - end
    except (ValueError, TypeError, RecursionError):
        return content
    header["sha256"] = hashlib.sha256(content[end:]).hexdigest()
    text = json.dumps(header).encode()
    text += b" " * (-(_MAGIC_BYTES + len(text)) % 64)
    return content[:8] + len(text).to_bytes(4, "little") + text + content[end:]


def _ogg_checksum(page: bytes | bytearray) -> int:
    checksum = 0
    for byte in page:
        checksum = (checksum << 8 & 0xFFFFFFFF) ^ _TABLE[checksum >> 24 ^ byte]
    return checksum


def _table_entry(index: int) -> int:
    value = index << 24
    for _ in range(8):
        value = (value << 1 ^ 0x04C11DB7 if value >> 31 else value << 1) & 0xFFFFFFFF
    return value


_TABLE = [_table_entry(index) for index in range(256)]
