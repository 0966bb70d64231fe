"""Options that several commands have, each with its help text."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from asr_runtime import __version__
from asr_runtime.command.messages import print_line


class Device(str, Enum):
    """The choices of ``--device``."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Decoder(str, Enum):
    """The choices of ``--decoder``."""

    greedy = "greedy"
    beam = "beam"


class Format(str, Enum):
    """The choices of ``--format``."""

    text = "text"
    json = "json"


def new_app() -> typer.Typer:
    """Return the app of one command: plain help, and programming errors keep their traceback."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"asr-run {__version__}")
        raise typer.Exit


ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="FILE", help="Model to use instead of the default one."),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="auto is cuda where it works, and cpu otherwise.")
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, metavar="N", help="CPU threads; by default all CPUs it may use."
    ),
]
DecoderOption = Annotated[
    Decoder | None,
    typer.Option(
        "--decoder",
        help="beam uses a language model; greedy is quicker. Default: beam, or greedy with --model "
        "and no language model or hotword.",
    ),
]
LanguageModelOption = Annotated[
    str | None,
    typer.Option(
        "--language-model", metavar="FILE", help="Language model to use instead of the English one."
    ),
]
HotwordOption = Annotated[
    list[str] | None,
    typer.Option("--hotword", metavar="TEXT", help="Word or phrase to listen for; repeatable."),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="json is one object a line, for each result.")
]
VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
    ),
]

InputDeviceOption = Annotated[
    str | None,
    typer.Option(
        "--input-device",
        metavar="NAME|NUMBER",
        help="Microphone to use; asr-run doctor lists them.",
    ),
]
SampleRateOption = Annotated[
    int | None,
    typer.Option(
        "--sample-rate",
        min=1000,
        max=768_000,
        metavar="HZ",
        help="Sample rate of a stream without a header (16-bit little-endian mono).",
    ),
]
ChunkOption = Annotated[
    int | None,
    typer.Option(
        "--chunk-ms", min=1, metavar="MS", help="Audio that goes through the model at a time."
    ),
]
LookaheadOption = Annotated[
    int | None,
    typer.Option(
        "--lookahead-ms", min=0, metavar="MS", help="Audio after it that the model waits for."
    ),
]
PauseOption = Annotated[
    int | None,
    typer.Option("--pause-ms", min=100, metavar="MS", help="Silence that ends a sentence."),
]
