"""Changes to single parts of a protobuf file that leave the rest readable.

Lengths around the changed part are set right, except where the change is a wrong length: otherwise
almost every change would only be a broken file, and nothing behind the reader would be tried.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from asr_bench.fuzzing.mutations import LONG_NUMBERS, mutate_bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_DESCENT = 0.85
#: Longer values are data, and not taken apart.
_LARGEST_VALUE = 4096
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{2,60}")
_NAMES_WITHIN = 100_000


@dataclass(frozen=True)
class _Part:
    """One field: its number, wire type and value."""

    number: int
    wire: int
    value: bytes | int

    def encode(self) -> bytes:
        tag = _varint(self.number << 3 | self.wire)
        if isinstance(self.value, int):
            return tag + _varint(self.value)
        return tag + (_varint(len(self.value)) if self.wire == _BYTES else b"") + self.value


def mutate_protobuf(content: bytes, rng: random.Random) -> bytes:
    """Change one to three parts anywhere in the tree; bytes, where it is no protobuf."""
    names = list(dict.fromkeys(_NAME.findall(content[:_NAMES_WITHIN])))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        parts = _parse(content)
        if not parts:
            return mutate_bytes(content, rng)
        content = _change(parts, names, rng, top=True)
    return content


def _change(
    parts: list[_Part], names: Sequence[bytes], rng: random.Random, *, top: bool = False
) -> bytes:
    index = rng.randrange(len(parts))
    if top:
        # Nearly everything is in one part.
        sizes = [len(part.value) if isinstance(part.value, bytes) else 0 for part in parts]
        index = sizes.index(max(sizes)) if rng.random() < 0.8 else index
    part = parts[index]
    if part.wire == _BYTES and isinstance(part.value, bytes) and rng.random() < _DESCENT:
        inner = _parse(part.value)
        if inner:
            parts[index] = _Part(part.number, _BYTES, _change(inner, names, rng))
            return b"".join(each.encode() for each in parts)
    encoded = [each.encode() for each in parts]
    is_name = isinstance(part.value, bytes) and _NAME.fullmatch(part.value) is not None
    if names and is_name and rng.random() < 0.8:
        # Another of the file's names, such as an operator or what it works on.
        encoded[index] = _Part(part.number, _BYTES, rng.choice(names)).encode()
        return b"".join(encoded)
    encoded[index] = _changed(part, rng)
    action = rng.randrange(8)
    other = rng.randrange(len(parts))
    if action == 0:
        encoded[index] = b""
    elif action == 1:
        encoded.insert(other, parts[index].encode())
    elif action == 2:
        encoded[index], encoded[other] = parts[other].encode(), parts[index].encode()
    return b"".join(encoded)


def _changed(part: _Part, rng: random.Random) -> bytes:
    kind = rng.randrange(10)
    if kind == 0:
        return _Part(rng.randint(1, 30), part.wire, part.value).encode()
    if isinstance(part.value, int):
        near = part.value + rng.choice((-2, -1, 1, 2))
        number = rng.choice((*LONG_NUMBERS, near, near, near, rng.randrange(40), rng.randrange(40)))
        return _Part(part.number, _VARINT, number % (1 << 64)).encode()
    if kind == 1 and part.wire == _BYTES:
        length = rng.choice((*LONG_NUMBERS, len(part.value) + 1, max(len(part.value) - 1, 0)))
        return _varint(part.number << 3 | _BYTES) + _varint(length) + part.value
    value = part.value
    if part.wire in _FIXED_SIZES:
        value = rng.randbytes(len(value))
    elif kind < 4 and len(value) in (4, 8, 16, 24, 32):
        # Very likely whole numbers or a single one.
        size = 4 if len(value) == 4 else 8
        place = rng.randrange(len(value) // size) * size
        number = rng.choice((*LONG_NUMBERS, *range(1, 9))) % (1 << 8 * size)
        value = value[:place] + number.to_bytes(size, "little") + value[place + size :]
    else:
        value = mutate_bytes(value, rng)
    return _Part(part.number, part.wire, value).encode()


def _parse(content: bytes) -> list[_Part]:
    """Return the parts of a message; none if these bytes are none, or too long for ours."""
    parts: list[_Part] = []
    position = 0
    while position < len(content):
        tag, position = _read_varint(content, position)
        wire = tag & 7
        value: bytes | int
        if wire == _VARINT:
            value, position = _read_varint(content, position)
        else:
            size = _FIXED_SIZES.get(wire, -1)
            if wire == _BYTES:
                size, position = _read_varint(content, position)
            if size < 0 or position < 0 or position + size > len(content):
                return []
            value = content[position : position + size]
            position += size
        if position < 0 or not tag >> 3 or len(parts) > _LARGEST_VALUE:
            return []
        parts.append(_Part(tag >> 3, wire, value))
    return parts


def _read_varint(content: bytes, position: int) -> tuple[int, int]:
    """Return the number and where the next byte is; (0, -1) if there is none."""
    value = 0
    if position < 0:
        return 0, -1
    for index, byte in enumerate(content[position : position + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    return 0, -1


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
