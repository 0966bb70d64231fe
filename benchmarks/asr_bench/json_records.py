"""Frozen dataclasses to JSON and back, every value checked against the field's type.

A field is its key, but for an underscore at the end, which words of Python's own need.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from asr_bench.errors import BenchError

Record = TypeVar("Record")

_NAMES = {int: "a whole number", str: "text", bool: "true or false", list: "a list"}


class RecordError(BenchError):
    """A JSON value that is not what the field takes; the message says where and what is."""


def to_json(value: Any) -> Any:
    """Return the plain JSON values of dataclasses, tuples, mappings, numbers and strings."""
    if dataclasses.is_dataclass(value):
        return {_key(one): to_json(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, (tuple, list)) else value


def from_json(kind: type[Record], value: object, place: str = "") -> Record:
    """Make a dataclass from its JSON object; keys that it does not know are left out.

    Args:
        kind: A dataclass; of its fields, those with a default may be missing.
        value: What ``json.loads`` gave.
        place: Where the value stands, for the message.

    Raises:
        RecordError: A key is missing, or a value is not of its field's type.
    """
    document = _checked(dict, value, place)
    types_of = get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name = _key(field)
        inner = f"{place}.{name}" if place else name
        if name in document:
            values[field.name] = _read(types_of[field.name], document[name], inner)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise RecordError(f"{inner} is missing")
    return kind(**values)


def _read(kind: Any, value: object, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return None if value is None else _read(inner, value, place)
    if origin is Literal:
        return value if value in arguments else _refuse(" or ".join(arguments), value, place)
    if origin is tuple:
        items = _checked(list, value, place)
        if arguments[-1] is Ellipsis:
            arguments = (arguments[0],) * len(items)
        if len(items) != len(arguments):
            raise RecordError(f"{place} should hold {len(arguments)} values, not {len(items)}")
        pairs = enumerate(zip(arguments, items, strict=True))
        return tuple(_read(one, item, f"{place}[{index}]") for index, (one, item) in pairs)
    if origin is not None:  # a mapping
        pairs = _checked(dict, value, place).items()
        try:
            keys = [arguments[0](name) for name, _ in pairs]
        except ValueError:
            raise RecordError(f"the keys of {place} should be {arguments[0].__name__}") from None
        values = [_read(arguments[1], item, f"{place}.{name}") for name, item in pairs]
        return dict(zip(keys, values, strict=True))
    if dataclasses.is_dataclass(kind):
        return from_json(kind, value, place)  # type: ignore[arg-type]
    return _checked(kind, value, place)


def _checked(kind: type, value: object, place: str) -> Any:
    if kind is float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):  # type: ignore[arg-type]
            _refuse("a finite number", value, place)
        return float(value)  # type: ignore[arg-type]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        _refuse(_NAMES.get(kind, "an object"), value, place)
    return value


def _refuse(expected: str, value: object, place: str) -> NoReturn:
    shown = repr(value)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
    raise RecordError(f"{place or 'the document'} should be {expected}, not {shown}")


def _key(field: dataclasses.Field[Any]) -> str:
    return field.name.removesuffix("_")
