"""Walking through protobuf's wire format with bounds: no recursion, no copies.

Stricter than protobuf itself, so that two readers cannot understand one file differently: a field
that the caller's table does not list, that has another wire type, or that comes twice though it is
not repeated, is an error. (Protobuf skips the first two, and merges or overrides the third.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Block = memoryview


class WireError(ValueError):
    """What is wrong with the bytes, as the predicate of a sentence about the file."""


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Attributes:
        name: in protobuf's schema.
        wire: wire type; numbers that are repeated may also come packed.
        repeated: whether it may come more than once.
        refused: what a file that has it contains, if such a file is not to be read; else None.
    """

    name: str
    wire: int
    repeated: bool = False
    refused: str | None = None


class Budget:
    """Counts down the fields that may still be read of one file, whatever their message."""

    def __init__(self, fields: int) -> None:
        self._left = fields

    def spend(self) -> None:
        """Take one field off.

        Raises:
            WireError: there were too many.
        """
        self._left -= 1
        if self._left < 0:
            raise WireError("has far more parts than a model of ours")


class Message:
    """The fields of one message by name, nested messages unread."""

    def __init__(self, data: Block, fields: Mapping[int, Field], budget: Budget) -> None:
        """Read a message.

        Args:
            data: its bytes.
            fields: all that it may have, by their numbers.
            budget: fields that may still be read.

        Raises:
            WireError: it is damaged, has a field that is not listed or is refused, or the budget is
                spent.
        """
        self._integers: dict[str, list[int]] = {}
        self._blocks: dict[str, list[Block]] = {}
        seen = set()
        for number, wire, value in _walk(data):
            budget.spend()
            field = fields.get(number)
            if field is None:
                raise WireError("has parts that this version does not know")
            if field.refused is not None:
                raise WireError(f"contains {field.refused}")
            packed = field.repeated and field.wire != BYTES and wire == BYTES
            if wire != field.wire and not packed:
                raise WireError(f"is damaged (its {field.name} has the wrong type)")
            if not field.repeated and number in seen:
                raise WireError(f"is damaged (it has a second {field.name})")
            seen.add(number)
            if isinstance(value, int):
                self._integers.setdefault(field.name, []).append(value)
            elif packed and field.wire == VARINT:
                self._integers.setdefault(field.name, []).extend(_packed(value, budget))
            else:
                self._blocks.setdefault(field.name, []).append(value)

    def integers(self, name: str) -> list[int]:
        """List all values of a field of signed 64-bit integers."""
        return [_signed(value) for value in self._integers.get(name, ())]

    def integer(self, name: str, default: int = 0) -> int:
        """Value of a field of integers that is not repeated."""
        return next(iter(self.integers(name)), default)

    def blocks(self, name: str) -> list[Block]:
        """List all values of a field of bytes or messages."""
        return self._blocks.get(name, [])

    def block(self, name: str) -> Block | None:
        """Value of a field of bytes or a message that is not repeated; None if it is missing."""
        return next(iter(self.blocks(name)), None)

    def texts(self, name: str) -> list[str]:
        """List all values of a field of strings.

        Raises:
            WireError: one is not UTF-8.
        """
        try:
            return [str(block, "utf-8") for block in self.blocks(name)]
        except UnicodeDecodeError:
            raise WireError(f"is damaged (a {name} is not text)") from None

    def text(self, name: str) -> str:
        """Value of a field of strings that is not repeated; empty if it is missing."""
        return next(iter(self.texts(name)), "")


def packed_integers(data: Block, budget: Budget) -> list[int]:
    """Read signed 64-bit integers that follow each other, as in a packed field.

    Args:
        data: their bytes.
        budget: fields that may still be read; each integer counts as one.

    Raises:
        WireError: one is cut off, or the budget is spent.
    """
    return [_signed(value) for value in _packed(data, budget)]


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _packed(data: Block, budget: Budget) -> Iterator[int]:
    position = 0
    while position < len(data):
        budget.spend()
        value, position = _varint(data, position)
        yield value


def _walk(data: Block) -> Iterator[tuple[int, int, int | Block]]:
    """Walk over the fields of a message.

    Yields:
        Number, wire type and value of each; fixed-size numbers as their bytes.
    """
    position, end = 0, len(data)
    while position < end:
        start = position
        tag, position = _varint(data, position)
        # Protobuf's field numbers have 29 bits and its tags at most five bytes.
        if tag >> 32 or not tag >> 3 or position - start > 5:
            raise WireError("is damaged (a field has no valid number)")
        wire = tag & 7
        value: int | Block
        if wire == VARINT:
            value, position = _varint(data, position)
        else:
            if wire == BYTES:
                size, position = _varint(data, position)
            elif wire == FIXED64:
                size = 8
            elif wire == FIXED32:
                size = 4
            else:
                raise WireError("is damaged (a field has no valid type)")
            if size > end - position:
                raise WireError("is cut off or damaged (a part reaches past its end)")
            value = data[position : position + size]
            position += size
        yield tag >> 3, wire, value


def _varint(data: Block, position: int) -> tuple[int, int]:
    """Read an unsigned integer of up to 64 bits; also tells where the next byte is."""
    if position < len(data) and data[position] < 0x80:  # nearly all
        return data[position], position + 1
    value = 0
    for index, byte in enumerate(data[position : position + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if value >> 64:
                break
            return value, position + index + 1
    raise WireError("is cut off or damaged (a number has no end)")
