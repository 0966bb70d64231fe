"""Recipes: all settings of a run as a TOML file, and changes to them from the command line.

A recipe has one table for each dataclass of settings: ``[model]``, ``[training]``,
``[augmentation]``, ``[masking]``, ``[chunked]``, ``[loss]``. A key is the field's name. ``[model]``
may also name the ``preset`` that its other keys change.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from asr_train.errors import ConfigError
from asr_train.model.config import ModelConfig, preset
from asr_train.output import replacing
from asr_train.settings import Setting, check_value, convert, field_types, settings_of
from asr_train.training.config import TrainingConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The model's preset is no field of it, but may be given beside them.
PRESET = "model.preset"
#: What a run's settings are written to, in its folder.
RUN_RECIPE = "config.toml"


class Key(NamedTuple):
    """A setting's place in a recipe, and what is known about it.

    Attributes:
        table: its table.
        name: its name in there, which is the field's.
        type: the field's type, without None.
        default: the field's default.
        setting: help and range.
    """

    table: str
    name: str
    type: Any
    default: Any
    setting: Setting

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


@dataclass(frozen=True)
class Assignment:
    """A value for a setting.

    Attributes:
        key: ``table.name``.
        value: of the field's type.
        origin: where it was given, for messages: a file or an option.
    """

    key: str
    value: Any
    origin: str


def tables() -> dict[str, type]:
    """The dataclass behind each table of a recipe, in the order of the file."""
    nested = {
        name: kind
        for name, kind in field_types(TrainingConfig).items()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type)
    }
    return {"model": ModelConfig, "training": TrainingConfig, **nested}


def keys() -> dict[str, Key]:
    """Every setting by ``table.name``."""
    found = [Key(PRESET.partition(".")[0], "preset", str, "edge", Setting("Preset to start from."))]
    for table, kind in tables().items():
        types = field_types(kind)
        for name, known in settings_of(kind).items():
            found.append(Key(table, name, types[name], getattr(kind, name), known))
    return {str(key): key for key in found}


def assign(key: str, value: object, origin: str) -> Assignment:
    """Check a value for the setting ``key``: ``table.name``, or a name that only one table has.

    Raises:
        ConfigError: an unknown or ambiguous key, a value of another type or out of range; the
            message begins with ``origin``.
    """
    known = keys()
    matches = [full for full, one in known.items() if key in (full, one.name)]
    if len(matches) > 1:
        raise ConfigError(f"{origin}: '{key}' is in several tables; give {' or '.join(matches)}")
    if not matches:
        raise ConfigError(f"{origin}: unknown setting '{key}'; did you mean {_nearest(key)}?")
    found = known[matches[0]]
    try:
        converted = convert(str(found), value, found.type)
        check_value(str(found), converted, found.setting)
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None
    return Assignment(str(found), converted, origin)


def parse_assignment(text: str) -> Assignment:
    """A change such as ``noise=0.3`` or ``training.lexicon=words.txt``, as ``--set`` takes it.

    The value is one of TOML; what is none, such as a word or a path, is a string.

    Raises:
        ConfigError: not of that form, or what ``assign`` refuses.
    """
    origin = f"--set {text}"
    name, separator, value = text.partition("=")
    if not separator:
        raise ConfigError(f"{origin}: is not of the form key=value")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    return assign(name.strip(), parsed, origin)


def read_recipe(path: Path) -> list[Assignment]:
    """The settings that a recipe gives.

    Raises:
        ConfigError: a file that cannot be read or is no TOML, or what ``assign`` refuses; the
            message names the file and the key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the recipe: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a UTF-8 text file; give a recipe") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return [assign(key, value, str(path)) for key, value in _flat(path, document)]


def build(assignments: Iterable[Assignment], out: Path) -> tuple[ModelConfig, TrainingConfig]:
    """Model and training configuration from defaults and assignments; the last one of a key wins.

    Args:
        assignments: in the order in which they apply.
        out: folder of the run.

    Raises:
        ConfigError: an unknown preset, or settings that do not fit together.
    """
    given: dict[str, dict[str, Any]] = {table: {} for table in tables()}
    for assignment in assignments:
        table, _, name = assignment.key.partition(".")
        given[table][name] = assignment.value
    model, training = given.pop("model"), given.pop("training")
    base = preset(model.pop("preset", "edge"))
    kinds = tables()
    nested = {table: kinds[table](**values) for table, values in given.items()}
    return dataclasses.replace(base, **model), TrainingConfig(out=out, **training, **nested)


def values_of(model: ModelConfig, training: TrainingConfig) -> dict[str, Any]:
    """The value of every setting by ``table.name``, without the preset and the run's folder.

    Args:
        model: the ``[model]`` table.
        training: all other tables. Paths come back absolute.
    """
    values = {}
    for table, kind in tables().items():
        config = {"model": model, "training": training}.get(table) or getattr(training, table)
        for name in settings_of(kind):
            value = getattr(config, name)
            values[f"{table}.{name}"] = value.absolute() if isinstance(value, Path) else value
    return values


def write_recipe(path: Path, model: ModelConfig, training: TrainingConfig) -> None:
    """Write all settings of a run, each with what it is, as a recipe.

    Args:
        path: file to write.
        model: the ``[model]`` table; every field is written, so that no preset is needed.
        training: all other tables.

    Raises:
        OutputError: the file cannot be written.
    """
    known, table = keys(), ""
    lines = ["# All settings of this run; asr-train fit --config reads them again."]
    for full, value in values_of(model, training).items():
        key = known[full]
        if key.table != table:
            table = key.table
            lines += ["", f"[{table}]"]
        lines.append(f"# {key.setting.help}")
        lines.append(f"# {key.name} =" if value is None else f"{key.name} = {_toml(value)}")
    with replacing(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def changed_settings(path: Path, model: ModelConfig, training: TrainingConfig) -> list[str]:
    """What differs from the settings that a run has left, one line each.

    Args:
        path: the run's recipe; nothing differs from one that is missing or damaged.
        model: as asked for now.
        training: as asked for now.
    """
    if not path.is_file():
        return []
    try:
        before = {each.key: each.value for each in read_recipe(path)}
    except ConfigError:
        return []
    return [
        f"{key} is {_shown(now)} instead of {_shown(before.get(key))}"
        for key, now in values_of(model, training).items()
        if now != before.get(key)
    ]


def _flat(path: Path, document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for table, values in document.items():
        if not isinstance(values, dict):
            raise ConfigError(
                f"{path}: '{table}' is in no table; did you mean {_nearest(table)}? "
                "Write it below the name of its table in brackets"
            )
        if table not in tables():
            raise ConfigError(
                f"{path}: unknown table '{table}'; the tables are: {', '.join(tables())}"
            )
        for name, value in values.items():
            yield f"{table}.{name}", value


def _nearest(key: str) -> str:
    """The known key that looks most like this one; in its own table if that exists."""
    known = keys()
    table, _, name = key.rpartition(".")
    names = {one.name: full for full, one in known.items() if table in ("", one.table)}
    names = names or {one.name: full for full, one in known.items()}
    (nearest,) = difflib.get_close_matches(name, names, 1, cutoff=0.0)
    return names[nearest]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, Enum):
        return json.dumps(value.value, ensure_ascii=False)
    if isinstance(value, Path):
        return json.dumps(str(value), ensure_ascii=False)
    return repr(value)


def _shown(value: Any) -> str:
    return "not set" if value is None else _toml(value)
