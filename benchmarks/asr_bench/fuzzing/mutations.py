"""Changes to the bytes of a file, whatever its format."""

from __future__ import annotations

import random

#: Where programs go wrong: signs, ends of ranges, sizes that nothing has.
NUMBERS = (
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    32767,
    65535,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
)
LONG_NUMBERS = (*NUMBERS, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)

#: Much of a format is at its beginning.
_HEAD_BYTES = 256
_LARGEST_BLOCK = 2048


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Make one to four changes, half of the times near the beginning."""
    changed = bytearray(content)
    head = rng.random() < 0.5
    for _ in range(rng.randint(1, 4)):
        if changed:
            rng.choice(_CHANGES)(changed, _place(changed, rng, head), rng)
    return bytes(changed)


def overwrite_bytes(content: bytes, rng: random.Random, start: int = 0) -> bytes:
    """Make one to eight changes from ``start`` on that leave everything in its place."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if start < len(changed):
            place = rng.randrange(start, len(changed))
            rng.choice((_flip_bits, _write_number))(changed, place, rng)
    return bytes(changed[: len(content)])


def make_hole(content: bytes, rng: random.Random) -> bytes:
    """Take out 1 to 40 % of a file, or put zeros there: a copy that was not completed."""
    size = int(len(content) * rng.uniform(0.01, 0.4))
    start = rng.randrange(max(len(content) - size, 1))
    filler = bytes(size) if rng.random() < 0.5 else b""
    return content[:start] + filler + content[start + size :]


def _place(content: bytearray, rng: random.Random, head: bool) -> int:
    return rng.randrange(min(len(content), _HEAD_BYTES) if head else len(content))


def _block(content: bytearray, start: int, rng: random.Random) -> bytes:
    return bytes(content[start : start + rng.randint(1, _LARGEST_BLOCK)])


def _flip_bits(content: bytearray, place: int, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 8)):
        content[place] ^= 1 << rng.randrange(8)
        place = min(place + rng.randint(0, 3), len(content) - 1)


def _overwrite(content: bytearray, place: int, rng: random.Random) -> None:
    block = rng.randbytes(rng.randint(1, 32))
    content[place : place + len(block)] = block


def _write_number(content: bytearray, place: int, rng: random.Random) -> None:
    size = rng.choice((1, 2, 4, 8))
    number = rng.choice(LONG_NUMBERS) % (1 << 8 * size)
    content[place : place + size] = number.to_bytes(size, rng.choice(("little", "big")))


def _cut(content: bytearray, place: int, rng: random.Random) -> None:
    del content[place:]


def _remove(content: bytearray, place: int, rng: random.Random) -> None:
    del content[place : place + rng.randint(1, _LARGEST_BLOCK)]


def _repeat(content: bytearray, place: int, rng: random.Random) -> None:
    content[place:place] = _block(content, place, rng) * rng.choice((1, 1, 1, 2, 50))


def _splice(content: bytearray, place: int, rng: random.Random) -> None:
    """Replace what is there by a block from elsewhere."""
    block = _block(content, rng.randrange(len(content)), rng)
    content[place : place + len(block)] = block


_CHANGES = (_flip_bits, _overwrite, _write_number, _cut, _remove, _repeat, _splice)
