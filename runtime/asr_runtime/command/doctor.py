"""``asr-run doctor``: what is installed, which devices work, and what is wrong."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from asr_runtime.command.messages import print_line, report
from asr_runtime.command.options import (
    Device,
    DeviceOption,
    Format,
    FormatOption,
    InputDeviceOption,
    LanguageModelOption,
    ModelOption,
    new_app,
)

app = new_app()


@app.command(help="Report versions, devices and models, and what is wrong with them.")
def doctor(
    device: DeviceOption = Device.auto,
    model: ModelOption = None,
    language_model: LanguageModelOption = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Fail if there is no microphone that works.")
    ] = False,
    input_device: InputDeviceOption = None,
    output_format: FormatOption = Format.text,
) -> None:
    """Examine this machine."""
    if input_device is not None and not microphone:
        raise typer.BadParameter("--input-device needs --microphone")
    examine(device, model, language_model, microphone, input_device, output_format)


def examine(
    device: Device,
    model: str | None,
    language_model: str | None,
    microphone: bool,
    input_device: str | None,
    output_format: Format,
) -> None:
    """Print what `diagnose` finds, and its problems on standard error.

    Args:
        device: The one that has to work; auto for whatever works.
        model: Model file, None for the default one.
        language_model: Language model file, None for the default one.
        microphone: Whether a microphone has to work.
        input_device: Which microphone, None for the system's default.
        output_format: How to print it.

    Raises:
        typer.Exit: There are problems.
    """
    from asr_runtime.command.diagnosis import diagnose

    found = diagnose(
        device.value,
        model=model,
        language_model=language_model,
        microphone=microphone,
        input_device=input_device,
    )
    as_json = output_format is Format.json
    print_line(json.dumps(found.to_dict()) if as_json else found.text())
    for problem in found.problems:
        report(problem)
    if found.problems:
        raise typer.Exit(1)


def __getattr__(name: str) -> object:
    """Find ``diagnose`` and ``Diagnosis`` where they were before `diagnosis` was a module."""
    if name in ("diagnose", "Diagnosis"):
        from asr_runtime.command import diagnosis

        return getattr(diagnosis, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
