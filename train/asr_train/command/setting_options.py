"""An option on the command line for every setting of a recipe, made from its field."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import typer

from asr_train.training.recipe import Assignment, Key, assign, keys


def with_setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a typer command.

    Args:
        command: takes what they were given as the keyword ``assignments``, a list of
            ``Assignment``; options that were not given are not in it.

    Returns:
        The command as typer shall see it. The model's fields have no options of their own:
        ``--set`` changes them.
    """
    chosen = {
        f"{key.table}_{key.name}": key
        for key in keys().values()
        if key.table != "model" or key.name == "preset"
    }

    def wrapper(**values: Any) -> None:
        assignments: list[Assignment] = []
        for name, key in chosen.items():
            value = values.pop(name)
            if value is not None:
                assignments.append(assign(str(key), value, option_names(key)[0]))
        command(**values, assignments=assignments)

    signature = inspect.signature(command, eval_str=True)
    own = [each for name, each in signature.parameters.items() if name != "assignments"]
    parameters = own + [_parameter(name, key) for name, key in chosen.items()]
    wrapper.__doc__ = command.__doc__
    wrapper.__name__ = command.__name__
    wrapper.__annotations__ = {each.name: each.annotation for each in parameters}
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapper


def option_names(key: Key) -> tuple[str, ...]:
    """How a setting is called on the command line, the usual name first."""
    return key.setting.options or (f"--{key.name.replace('_', '-')}",)


def _parameter(name: str, key: Key) -> inspect.Parameter:
    number = key.type in (int, float)
    option = typer.Option(
        *option_names(key),
        help=key.setting.help,
        show_default=_shown(key.default),
        rich_help_panel="Settings of a recipe",
        min=key.setting.least if number else None,
        max=key.setting.most if number else None,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[key.type | None, option],
    )


def _shown(default: Any) -> str | bool:
    """How the help shows a default; False for none."""
    if default is None or default is False:
        return False
    if isinstance(default, tuple):
        return " ".join(f"{value:g}" for value in default)
    if isinstance(default, Enum):
        return str(default.value)
    return f"{default:g}" if isinstance(default, float) else str(default)
