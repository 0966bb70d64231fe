"""Frozen dataclasses to JSON and back, every value checked against the field's type.

A field is its key, but for an underscore at the end, which words of Python's own need.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from asr_bench.errors import BenchError

Record = TypeVar("Record")


class RecordError(BenchError):
    """A JSON value that is not what the field takes; the message says where and what is."""


def to_json(value: Any) -> Any:
    """Return the plain JSON values of dataclasses, tuples, mappings, numbers and strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            _key(field): to_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[Record], value: object, place: str = "") -> Record:
    """Make a dataclass from its JSON object; keys that it does not know are left out.

    Args:
        kind: A dataclass; of its fields, those with a default may be missing.
        value: What ``json.loads`` gave.
        place: Where the value stands, for the message.

    Raises:
        RecordError: A key is missing, or a value is not of its field's type.
    """
    if not isinstance(value, dict):
        raise _unlike(place, "an object", value)
    types_of = get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name = _key(field)
        inner = f"{place}.{name}" if place else name
        if name in value:
            values[field.name] = _read(types_of[field.name], value[name], inner)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise RecordError(f"{inner} is missing")
    return kind(**values)


def _read(kind: Any, value: object, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return None if value is None else _read(inner, value, place)
    if origin is Literal:
        if value not in arguments:
            raise _unlike(place, " or ".join(map(str, arguments)), value)
        return value
    if origin is tuple:
        return _read_tuple(arguments, value, place)
    if origin is not None and issubclass(origin, Mapping):
        return _read_mapping(arguments, value, place)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return from_json(kind, value, place)
    return _read_plain(kind, value, place)


def _read_tuple(arguments: tuple[Any, ...], value: object, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _unlike(place, "a list", value)
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(value) != len(arguments):
        raise RecordError(f"{place} should hold {len(arguments)} values, not {len(value)}")
    pairs = zip(arguments, value, strict=True)
    return tuple(_read(one, item, f"{place}[{index}]") for index, (one, item) in enumerate(pairs))


def _read_mapping(arguments: tuple[Any, ...], value: object, place: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise _unlike(place, "an object", value)
    key_kind, value_kind = arguments
    try:
        return {
            key_kind(name): _read(value_kind, item, f"{place}.{name}")
            for name, item in value.items()
        }
    except ValueError:
        raise RecordError(f"the keys of {place} should be {key_kind.__name__}") from None


def _read_plain(kind: Any, value: object, place: str) -> Any:
    if kind is float:
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not numeric or not math.isfinite(value):  # type: ignore[arg-type]
            raise _unlike(place, "a finite number", value)
        return float(value)  # type: ignore[arg-type]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {int: "a whole number", str: "text", bool: "true or false"}
        raise _unlike(place, names[kind], value)
    return value


def _unlike(place: str, expected: str, value: object) -> RecordError:
    shown = repr(value)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
    return RecordError(f"{place or 'the document'} should be {expected}, not {shown}")


def _key(field: dataclasses.Field[Any]) -> str:
    return field.name.removesuffix("_")
