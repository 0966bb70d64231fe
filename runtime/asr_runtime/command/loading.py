"""The recogniser that a command's options ask for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from asr_runtime.command.messages import report
from asr_runtime.command.options import Decoder, Device
from asr_runtime.errors import AsrRuntimeError

if TYPE_CHECKING:
    from asr_runtime.recognizer import Recognizer


def load_recognizer(
    model: str | None,
    device: Device,
    threads: int | None,
    decoder: Decoder | None,
    language_model: str | None,
    hotwords: Sequence[str] | None,
) -> Recognizer:
    """Load a recogniser, and report its warnings.

    Args:
        model: Model file, None for the default one.
        device: Where the model runs.
        threads: CPU threads, None for one on each CPU that the process may use.
        decoder: Decoder, None for the model's default.
        language_model: Language model file, None for the default one.
        hotwords: Words or phrases to listen for.

    Returns:
        The recogniser.

    Raises:
        typer.Exit: It cannot be loaded, which was reported.
    """
    from asr_runtime.recognizer import Recognizer

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recognizer = Recognizer.load(
                model,
                device=device.value,
                threads=threads,
                decoder=None if decoder is None else decoder.value,
                language_model=language_model,
                hotwords=hotwords or (),
            )
    except AsrRuntimeError as error:
        report(str(error))
        raise typer.Exit(1) from None
    for warning in caught:
        report(f"warning: {warning.message}")
    return recognizer
