"""Settings as fields of dataclasses: what each is, its unit and its range are written once.

The command line's help, the comments of a recipe and every check read them from here.
"""

from __future__ import annotations

import dataclasses
import math
import types
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from asr_train.errors import ConfigError

T = TypeVar("T")
_SETTING = "setting"


@dataclass(frozen=True)
class Setting:
    """What is known about a field besides its name, type and default.

    Attributes:
        help: what it is, with its unit; one sentence.
        least: smallest value.
        most: largest value.
        above: values must be larger than this.
        below: values must be smaller than this.
        options: names on the command line; the field's own name if there are none.
    """

    help: str
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    options: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """The allowed values in words, such as ``0 to 1``; empty if all numbers are allowed."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        low = f"{self.least:g} or more" if self.least is not None else ""
        low = f"more than {self.above:g}" if self.above is not None else low
        high = f"at most {self.most:g}" if self.most is not None else ""
        high = f"less than {self.below:g}" if self.below is not None else high
        return " and ".join(part for part in (low, high) if part)

    def allows(self, number: float) -> bool:
        """Whether ``number`` is finite and within the range."""
        return (
            math.isfinite(number)
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )


def setting(
    default: T,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    options: tuple[str, ...] = (),
) -> T:
    """Declare a field of a frozen dataclass of settings.

    Args:
        default: its value where nothing else is given.
        help: what it is, with its unit; one sentence.
        least: smallest value.
        most: largest value.
        above: values must be larger than this.
        below: values must be smaller than this.
        options: names on the command line, such as ``--compile``, instead of the field's own.

    Returns:
        The dataclass field, typed as its default for type checkers.
    """
    description = Setting(help, least, most, above, below, options)
    return dataclasses.field(default=default, metadata={_SETTING: description})


def settings_of(kind: type) -> dict[str, Setting]:
    """The settings that a dataclass declares, by field name, in their order."""
    return {
        field.name: field.metadata[_SETTING]
        for field in dataclasses.fields(kind)
        if _SETTING in field.metadata
    }


def check_settings(config: object) -> None:
    """Check every setting of a dataclass instance against its range.

    Raises:
        ConfigError: the first one that is out of range, with its name and the range.
    """
    for name, known in settings_of(type(config)).items():
        check_value(name, getattr(config, name), known)


def check_value(name: str, value: object, known: Setting) -> None:
    """Check one value, or each of several.

    Raises:
        ConfigError: it is out of range.
    """
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, (int, float)) and not known.allows(number):
            allowed = known.range or "a finite number"
            raise ConfigError(f"{name} must be {allowed}, not {number:g}")


def field_types(kind: type) -> dict[str, Any]:
    """Types of a dataclass's fields by name; ``X`` for what may also be None."""
    return {name: _without_none(hint) for name, hint in get_type_hints(kind).items()}


def convert(name: str, value: object, kind: Any) -> Any:
    """A value as TOML or JSON gives it, as the type of its field.

    Args:
        name: of the setting, for the message.
        value: a bool, int, float, str or list.
        kind: bool, int, float, ``Path``, an ``Enum`` of strings, or a tuple of such types.

    Raises:
        ConfigError: a value of another type, or a choice that does not exist.
    """
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        if not isinstance(value, (list, tuple)) or len(value) != len(parts):
            raise ConfigError(f"{name} must be {len(parts)} values, not {value!r}")
        return tuple(convert(name, each, part) for each, part in zip(value, parts, strict=True))
    if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    if issubclass(kind, Enum) and value in [choice.value for choice in kind]:
        return kind(value)
    if issubclass(kind, Enum):
        choices = ", ".join(str(choice.value) for choice in kind)
        raise ConfigError(f"{name} must be one of {choices}, not {value!r}")
    words = {bool: "true or false", Path: "a path"}
    raise ConfigError(f"{name} must be {words.get(kind, kind.__name__)}, not {value!r}")


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    return hint
