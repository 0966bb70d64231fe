"""The recogniser that a command's options ask for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from asr_runtime.command.messages import report
from asr_runtime.command.options import Decoder, Device
from asr_runtime.errors import AsrRuntimeError

if TYPE_CHECKING:
    from asr_runtime.recognizer import Recognizer


@dataclass(frozen=True)
class ReadableOptions:
    """How readable the text should be.

    Attributes:
        punctuate: Whether to punctuate; None is what suits the model and the reader.
        punctuation_model: Punctuation model file, None for the default one.
        numbers: Whether to write number words as digits.
        for_people: Whether a person reads the text, rather than a program.
    """

    punctuate: bool | None = None
    punctuation_model: str | None = None
    numbers: bool = False
    for_people: bool = False

    def punctuation(self, model: str | None) -> bool | str:
        """Return the ``punctuate`` of `Recognizer.load`.

        By default, text that a person reads is punctuated if the package's model recognises it,
        because the package's punctuation model knows English alone.

        Args:
            model: Model file, None for the default one.

        Raises:
            typer.BadParameter: The options contradict each other.
        """
        if self.punctuation_model is not None:
            if self.punctuate is False:
                raise typer.BadParameter("choose one of --no-punctuate and --punctuation-model")
            return self.punctuation_model
        if self.punctuate is not None:
            return self.punctuate
        from asr_runtime.readable_text.punctuation_model import DEFAULT_PUNCTUATION_MODEL

        return self.for_people and model is None and DEFAULT_PUNCTUATION_MODEL.exists()


@dataclass(frozen=True)
class LoadingOptions:
    """Which recogniser to load; other processes may be told too.

    Attributes:
        model: Model file, None for the default one.
        device: Where the model runs.
        threads: CPU threads, None for one on each CPU that the process may use.
        decoder: Decoder, None for the model's default.
        language_model: Language model file, None for the default one.
        hotwords: Words or phrases to listen for.
        readable: How readable the text should be.
        alternatives: How many texts of each segment to find.
    """

    model: str | None
    device: Device
    threads: int | None
    decoder: Decoder | None = None
    language_model: str | None = None
    hotwords: Sequence[str] | None = None
    readable: ReadableOptions = ReadableOptions()
    alternatives: int = 1

    def load(self) -> tuple[Recognizer, list[str]]:
        """Load the recogniser.

        Returns:
            The recogniser, and warnings, a line each.

        Raises:
            AsrRuntimeError: It cannot be loaded.
        """
        from asr_runtime.recognizer import Recognizer

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recognizer = Recognizer.load(
                self.model,
                device=self.device.value,
                threads=self.threads,
                decoder=None if self.decoder is None else self.decoder.value,
                language_model=self.language_model,
                hotwords=self.hotwords or (),
                punctuate=self.readable.punctuation(self.model),
                numbers=self.readable.numbers,
                alternatives=self.alternatives,
            )
        return recognizer, [str(warning.message) for warning in caught]


def load_recognizer(options: LoadingOptions) -> Recognizer:
    """Load a recogniser, and report its warnings.

    Args:
        options: What is asked for.

    Returns:
        The recogniser.

    Raises:
        typer.Exit: It cannot be loaded, which was reported.
    """
    try:
        recognizer, remarks = options.load()
    except AsrRuntimeError as error:
        report(str(error))
        raise typer.Exit(1) from None
    for remark in remarks:
        report(f"warning: {remark}")
    return recognizer
