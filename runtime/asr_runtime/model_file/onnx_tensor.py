"""Constants of an ONNX graph: does their data fit their dimensions?"""

import math
from dataclasses import dataclass

import numpy as np

from asr_runtime.model_file import onnx_schema as schema
from asr_runtime.model_file.protobuf_wire import Block, Budget, Message, WireError, packed_integers

MAX_ELEMENTS = 1 << 26
"""Most elements of one tensor; those of our models have a hundredth of it."""

MAX_RANK = 8

_MAX_NUMBERS = 64

# Where a type's elements are when they are not in raw_data, and the bytes of each there; None for
# variable ones.
_TYPED_DATA: dict[str, tuple[set[int], int | None]] = {
    "float_data": ({schema.FLOAT}, 4),
    "double_data": ({schema.DOUBLE}, 8),
    "int64_data": ({schema.INT64}, None),
    "uint64_data": ({schema.UINT32, schema.UINT64}, None),
    "int32_data": (
        {
            schema.INT32,
            schema.INT16,
            schema.INT8,
            schema.UINT16,
            schema.UINT8,
            schema.BOOL,
            schema.FLOAT16,
            schema.BFLOAT16,
        },
        None,
    ),
}


@dataclass(frozen=True)
class Value:
    """What is known about a value of a graph.

    Attributes:
        element_type: ONNX's number of the type, 0 if unknown.
        elements: most elements that it can have; None if it depends on an input of the model.
        shape: its dimensions, where they and `elements` are known.
        numbers: the values of a small constant of integers in the file; else None.
    """

    element_type: int
    elements: int | None = None
    shape: tuple[int, ...] | None = None
    numbers: tuple[int, ...] | None = None


def read_tensor(data: Block, budget: Budget) -> tuple[str, Value]:
    """Read a TensorProto.

    Args:
        data: its bytes.
        budget: fields that may still be read.

    Returns:
        Its name, and what is known about its value.

    Raises:
        WireError: it is damaged, foreign or too large.
    """
    tensor = Message(data, schema.TENSOR, budget)
    name = tensor.text("name")
    element_type = tensor.integer("data_type")
    if tensor.integer("data_location") == schema.EXTERNAL_LOCATION:
        raise WireError("contains tensors in other files, which are never opened")
    if element_type not in schema.BITS:
        raise WireError(f"has the tensor {name!r} of an unknown type")
    shape = tuple(tensor.integers("dims"))
    elements = checked_size(shape, f"the tensor {name!r}")
    raw = tensor.block("raw_data")
    stored = {key: block for key in _TYPED_DATA if (block := tensor.block(key)) is not None}
    if len(stored) + (raw is not None) > 1:
        raise WireError(f"is damaged (it has the data of the tensor {name!r} twice)")
    if raw is not None:
        fits = len(raw) == (elements * schema.BITS[element_type] + 7) // 8
    elif stored:
        [(key, block)] = stored.items()
        types, size = _TYPED_DATA[key]
        fits = element_type in types and _count(block, size) == elements
    else:
        fits = elements == 0
    if not fits:
        raise WireError(f"is damaged (the data of the tensor {name!r} do not fit its dimensions)")
    numbers = None
    if element_type in (schema.INT32, schema.INT64) and elements <= _MAX_NUMBERS:
        numbers = _numbers(element_type, raw, next(iter(stored.values()), None), budget)
    return name, Value(element_type, elements, shape, numbers)


def checked_size(shape: tuple[int, ...], what: str) -> int:
    """Count the elements of a tensor.

    Args:
        shape: its dimensions.
        what: the tensor, for the error.

    Raises:
        WireError: no model of ours has such a shape.
    """
    if len(shape) > MAX_RANK or min(shape, default=0) < 0:
        raise WireError(f"is damaged ({what} has impossible dimensions)")
    elements = math.prod(shape)
    # Also where another dimension is 0: ONNX Runtime multiplies them in its own way.
    if math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS:
        raise WireError(f"is dangerous ({what} has an enormous size)")
    return elements


def _count(block: Block, size: int | None) -> int:
    """Count the numbers in packed data; -1 if they end in the midst of one.

    Args:
        block: the data.
        size: bytes of a number; None for numbers of variable length.
    """
    if size is not None:
        return len(block) // size if len(block) % size == 0 else -1
    ends = np.frombuffer(block, np.uint8) < 0x80
    return int(np.count_nonzero(ends)) if not len(ends) or ends[-1] else -1


def _numbers(
    element_type: int, raw: Block | None, packed: Block | None, budget: Budget
) -> tuple[int, ...]:
    if raw is not None:
        kind = "<i8" if element_type == schema.INT64 else "<i4"
        return tuple(np.frombuffer(raw, kind).tolist())
    if packed is None:
        return ()
    values = packed_integers(packed, budget)
    if element_type == schema.INT32:
        values = [(value + (1 << 31)) % (1 << 32) - (1 << 31) for value in values]
    return tuple(values)
