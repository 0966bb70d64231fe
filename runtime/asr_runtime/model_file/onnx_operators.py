"""The operators that models of ours consist of, and how large what they make of constants can be.

ONNX Runtime computes whatever depends on no input when it opens a file, so a file of some hundred
bytes could have it fill the memory. What depends on an input is not followed here.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from asr_runtime.model_file import onnx_schema as schema
from asr_runtime.model_file.onnx_tensor import Value, checked_size
from asr_runtime.model_file.protobuf_wire import WireError

Attributes = Mapping[str, tuple[int, ...]]
"""Integer attributes by name; scalars become one-element tuples."""

MAX_PADDING = 1 << 16
"""Largest padding around an input; also the largest stride and kernel."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BROADCAST = _names(
    "Add Sub Mul Div Mod Pow Max Min Mean Sum Where PRelu And Or Xor Equal Greater GreaterOrEqual "
    "Less LessOrEqual"
)
_LIKE_FIRST = _names(
    "Abs Neg Sign Sqrt Reciprocal Exp Log Erf Sin Cos Tan Tanh Sigmoid Relu LeakyRelu Elu Selu "
    "Gelu HardSigmoid HardSwish Softplus Softsign Clip Ceil Floor Round Not IsNaN IsInf Cast "
    "CastLike Identity Dropout QuantizeLinear DequantizeLinear DynamicQuantizeLinear Softmax "
    "LogSoftmax LayerNormalization BatchNormalization GroupNormalization InstanceNormalization "
    "CumSum Trilu ScatterElements ScatterND"
)
_NOT_LARGER = _names(
    "Slice Split Squeeze Flatten ReduceMax ReduceMin ReduceMean ReduceSum ReduceSumSquare ReduceL2 "
    "ReduceProd ReduceLogSumExp ArgMax ArgMin Shape Size"
)
_OTHER = _names(
    "Constant ConstantOfShape Expand Tile Range Pad Transpose Reshape Unsqueeze Concat Gather "
    "GatherElements GatherND MatMul MatMulInteger Gemm Conv ConvInteger GRU LSTM RNN"
)
OPERATORS = _BROADCAST | _LIKE_FIRST | _NOT_LARGER | _OTHER

_COMPARISONS = _names("Equal Greater GreaterOrEqual Less LessOrEqual IsNaN IsInf")
_INDICES = {"Shape", "Size", "ArgMax", "ArgMin"}
_POSITIVE_SIZES = ("kernel_shape", "strides", "dilations", "group", "hidden_size", "num_outputs")


def output_value(operator: str, inputs: Sequence[Value | None], attributes: Attributes) -> Value:
    """Find out what is known about the outputs of a node.

    Args:
        operator: the node's, which is not Constant.
        inputs: the node's; None for one that is left out.
        attributes: the node's.

    Returns:
        The value of every output.

    Raises:
        WireError: no model of ours does this, or the result would be too large or dangerous.
    """
    _check_attributes(attributes)
    given = [value for value in inputs if value is not None]
    first = inputs[0] if inputs and inputs[0] is not None else Value(0, 0, (0,))
    element_type = _element_type(operator, inputs, first, attributes)
    if operator in ("Div", "Mod"):
        _check_divisor(operator, given)
    if operator == "Pad":
        _check_padding(given)
    elif operator in _SIZED_BY_VALUE:
        return Value(element_type, *_SIZED_BY_VALUE[operator](operator, first, given))
    if not given or any(value.elements is None for value in given):
        return Value(element_type)
    shape = _shape(operator, first, given, attributes)
    if shape is not None:
        return Value(element_type, _size(shape, operator), shape)
    elements = _bound(operator, first, given)
    return Value(element_type, _checked(operator, elements))


def check_parts(inputs: Sequence[Value | None], attributes: Attributes, outputs: int) -> None:
    """Make sure that a Split has an output for each part; ONNX Runtime aborts if it has more.

    Args:
        inputs: the node's.
        attributes: the node's.
        outputs: how many it has, those without a name included.

    Raises:
        WireError: there are more or fewer.
    """
    sizes = inputs[1] if len(inputs) > 1 else None
    stated = {*attributes.get("num_outputs", ()), len(attributes.get("split", ())) or outputs}
    if sizes is not None and sizes.elements is not None:
        stated.add(sizes.elements)
    if stated != {outputs}:
        raise WireError(f"splits something into other than {outputs} parts for as many outputs")


def _check_attributes(attributes: Attributes) -> None:
    for name in _POSITIVE_SIZES:
        if not all(1 <= size <= MAX_PADDING for size in attributes.get(name, ())):
            raise WireError(f"has an impossible {name}")
    if not all(0 <= size <= MAX_PADDING for size in attributes.get("pads", ())):
        raise WireError("has impossible pads")


def _element_type(
    operator: str, inputs: Sequence[Value | None], first: Value, attributes: Attributes
) -> int:
    if operator == "Cast":
        return next(iter(attributes.get("to", ())), 0)
    if operator in _COMPARISONS:
        return schema.BOOL
    if operator in _INDICES:
        return schema.INT64
    if operator in ("MatMulInteger", "ConvInteger"):
        return schema.INT32
    if operator in ("QuantizeLinear", "DynamicQuantizeLinear", "ConstantOfShape"):
        return 0
    if operator in ("Where", "CastLike", "DequantizeLinear"):
        second = inputs[1] if len(inputs) > 1 else None
        return 0 if second is None else second.element_type
    return first.element_type


def _check_divisor(operator: str, given: Sequence[Value]) -> None:
    """Refuse integer division by what may be zero, because a processor stops a program for it.

    Not all versions of ONNX Runtime that this package runs with check it, nor all their devices.
    """
    if len(given) != 2 or given[0].element_type in schema.FLOATING:
        return
    numbers = given[1].numbers
    if numbers is None or min(numbers, default=0) < 1:
        raise WireError(
            f"divides whole numbers ({operator}) by something else than positive constants"
        )


def _check_padding(given: Sequence[Value]) -> None:
    numbers = given[1].numbers if len(given) > 1 else None
    if numbers is None and len(given) > 1 and given[1].elements is not None:
        raise WireError("pads by a computed constant")
    if not all(-MAX_PADDING <= number <= MAX_PADDING for number in numbers or ()):
        raise WireError("has impossible pads")


Sized = tuple[int | None, tuple[int, ...] | None]
"""Number of elements and shape of a result, as in `Value`."""


def _sizes(operator: str, value: Value) -> tuple[int, ...] | None:
    """Numbers of a constant that says how large a result is; None if it depends on an input."""
    if value.numbers is None and value.elements is not None:
        raise WireError(f"computes the size of a tensor ({operator}) from constants alone")
    return value.numbers


def _constant_of_shape(operator: str, first: Value, given: Sequence[Value]) -> Sized:
    shape = _sizes(operator, first)
    return (None, None) if shape is None else (_size(shape, operator), shape)


def _expand(operator: str, first: Value, given: Sequence[Value]) -> Sized:
    sizes = _sizes(operator, given[-1])
    if sizes is None:
        return None, None
    elements = _size(sizes, operator)
    if first.elements is None:
        return None, None
    shape = None if first.shape is None else _broadcast([first.shape, sizes])
    if shape is None:
        shape = (first.elements, elements)  # at most
        return _size(shape, operator), None
    return _size(shape, operator), shape


def _tile(operator: str, first: Value, given: Sequence[Value]) -> Sized:
    repeats = _sizes(operator, given[-1])
    if repeats is None:
        return None, None
    elements = _size(repeats, operator)
    return (None if first.elements is None else _checked(operator, first.elements * elements)), None


def _range(operator: str, first: Value, given: Sequence[Value]) -> Sized:
    if len(given) != 3 or any(value.elements is None for value in given):
        return None, None
    numbers = [_sizes(operator, value) for value in given]
    if any(number is None or len(number) != 1 for number in numbers):
        raise WireError("counts (Range) in something else than whole numbers")
    start, limit, step = (number[0] for number in numbers if number is not None)
    if step == 0:
        raise WireError("counts (Range) in steps of 0")
    return _checked(operator, max(0, -((start - limit) // step))), None


_SIZED_BY_VALUE: dict[str, Callable[[str, Value, Sequence[Value]], Sized]] = {
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Tile": _tile,
    "Range": _range,
}


def _size(shape: tuple[int, ...], operator: str) -> int:
    return checked_size(shape, f"the result of {operator}")


def _checked(operator: str, elements: int) -> int:
    return _size((elements,), operator)


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Shape of an elementwise result over some shapes; None if they do not go together."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        size = max(sizes) if 0 not in sizes else 0
        if any(other not in (1, size) for other in sizes):
            return None
        result.append(size)
    return tuple(result)


def _shape(
    operator: str, first: Value, given: Sequence[Value], attributes: Attributes
) -> tuple[int, ...] | None:
    """Shape of the result of an operator over constants; None where it is not worth knowing."""
    if operator in _LIKE_FIRST:
        return first.shape
    shapes = [value.shape for value in given if value.shape is not None]
    if len(shapes) < len(given) or not shapes:
        return None
    if operator in _BROADCAST:
        return _broadcast(shapes)
    if operator == "Transpose" and first.shape is not None:
        order = attributes.get("perm", tuple(range(len(first.shape)))[::-1])
        if sorted(order) == list(range(len(first.shape))):
            return tuple(first.shape[axis] for axis in order)
    if operator == "Reshape" and first.elements is not None:
        sizes = given[-1].numbers
        if sizes is not None and min(sizes, default=1) > 0 and math.prod(sizes) == first.elements:
            return sizes
    if operator == "Gather" and len(shapes) == 2:
        axis = next(iter(attributes.get("axis", ())), 0)
        if -len(shapes[0]) <= axis < len(shapes[0]):
            axis %= len(shapes[0])
            return (*shapes[0][:axis], *shapes[1], *shapes[0][axis + 1 :])
    return None


def _bound(operator: str, first: Value, given: Sequence[Value]) -> int:
    """Largest number of elements that an operator over constants can make."""
    counts = [value.elements or 0 for value in given]
    if operator in _LIKE_FIRST | _NOT_LARGER | {"Transpose", "Reshape", "Unsqueeze"}:
        return first.elements or 0
    if operator == "Concat":
        return sum(counts)
    if operator == "GatherElements":
        return counts[-1]
    return math.prod(max(count, 1) for count in counts)
