"""Dataclasses of options: what several commands take is declared, listed and handed on once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_origin, get_type_hints


def expand_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Make options of the fields of the dataclasses that a command takes.

    typer makes an option of every parameter that a command's signature has. The command that is
    returned has, in place of each parameter whose type is a dataclass, the dataclass's fields whose
    type is ``Annotated``; those of a base class come first. It is called with their values, and
    calls `command` with objects made of them.

    Args:
        command: A function with such parameters, which need no default.

    Returns:
        What `typer.Typer.command` takes.
    """
    groups: dict[str, Any] = {}
    options: dict[str, list[str]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        group = parameter.annotation
        if not is_dataclass(group):
            parameters.append(parameter)
            continue
        types = get_type_hints(group, include_extras=True)
        chosen = [each for each in fields(group) if get_origin(types[each.name]) is Annotated]
        groups[parameter.name] = group
        options[parameter.name] = [each.name for each in chosen]
        parameters += [
            parameter.replace(name=each.name, annotation=types[each.name], default=each.default)
            for each in chosen
        ]

    @functools.wraps(command)
    def call(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{option: values.pop(option) for option in options[name]})
        command(**values)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call
