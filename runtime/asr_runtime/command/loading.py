"""The recogniser that a command's options ask for."""

from __future__ import annotations

import gc
import warnings
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.command.messages import report
from asr_runtime.command.options import (
    Device,
    DeviceOption,
    LanguageModelOption,
    ModelOption,
    ThreadsOption,
)
from asr_runtime.errors import AsrRuntimeError

if TYPE_CHECKING:
    from asr_runtime.recognizer import Recognizer


class Decoder(str, Enum):
    """The choices of ``--decoder``."""

    greedy = "greedy"
    beam = "beam"


@dataclass(frozen=True)
class LoadingOptions:
    """Which recogniser to load: the options of the commands, and what they know besides.

    Attributes:
        for_people: Whether a person reads the text, rather than a program.
        alternatives: How many texts of each segment to find.
    """

    model: ModelOption = None
    device: DeviceOption = Device.auto
    threads: ThreadsOption = None
    decoder: Annotated[
        Decoder | None,
        typer.Option(
            "--decoder",
            help="beam uses a language model; greedy is quicker. Default: beam, or greedy with "
            "--model and no language model or hotword.",
        ),
    ] = None
    language_model: LanguageModelOption = None
    hotword: Annotated[
        list[str] | None,
        typer.Option(
            "--hotword",
            metavar="TEXT",
            help="Word or phrase to listen for, such as Panayotov or 'New York:2', with a weight; "
            "repeatable.",
        ),
    ] = None
    hotwords: Annotated[
        Path | None,
        typer.Option(
            "--hotwords",
            metavar="FILE",
            help="File of words and phrases to listen for, one a line; # begins a remark.",
        ),
    ] = None
    punctuate: Annotated[
        bool | None,
        typer.Option(
            "--punctuate/--no-punctuate",
            help="Put in commas, full stops, question marks and capital letters.",
            show_default=False,
        ),
    ] = None
    punctuation_model: Annotated[
        str | None,
        typer.Option(
            "--punctuation-model",
            metavar="FILE",
            help="Punctuate with this model, not the English one.",
        ),
    ] = None
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Write number words as digits, dates and money.")
    ] = False
    for_people: bool = False
    alternatives: int = 1

    def checked(self) -> LoadingOptions:
        """Return the same with the file's hotwords among the others, because a pipe is read once.

        Raises:
            typer.BadParameter: The file cannot be read as text, or the options contradict each
                other.
        """
        self.punctuation()
        if self.hotwords is None:
            return self
        from asr_runtime.language.hotword import read_hotwords

        try:
            found = read_hotwords(self.hotwords)
        except AsrRuntimeError as error:
            raise typer.BadParameter(str(error), param_hint="'--hotwords'") from None
        return replace(self, hotword=[*(self.hotword or ()), *found], hotwords=None)

    def punctuation(self) -> bool | str:
        """Return the ``punctuate`` of `Recognizer.load`.

        By default, text that a person reads is punctuated if the package's model recognises it,
        because the package's punctuation model knows English alone.

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

        return self.for_people and self.model is None and DEFAULT_PUNCTUATION_MODEL.exists()

    def load(self) -> tuple[Recognizer, list[str]]:
        """Load the recogniser.

        Returns:
            The recogniser, and warnings, a line each.

        Raises:
            AsrRuntimeError: It cannot be loaded.
            typer.BadParameter: The options contradict each other.
        """
        # What is imported and loaded stays; looking through it for what nobody needs takes a
        # fiftieth of a short recording's time.
        gc.disable()
        try:
            return self._load()
        finally:
            gc.freeze()
            gc.enable()

    def _load(self) -> tuple[Recognizer, list[str]]:
        from asr_runtime.recognizer import Recognizer

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recognizer = Recognizer.load(
                self.model,
                device=self.device.value,
                threads=self.threads,
                decoder=None if self.decoder is None else self.decoder.value,
                language_model=self.language_model,
                hotwords=self.checked().hotword or (),
                punctuate=self.punctuation(),
                numbers=self.numbers,
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
