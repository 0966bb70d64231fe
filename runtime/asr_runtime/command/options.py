"""Options that several commands have, each with its help text."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime import __version__
from asr_runtime.command.messages import print_line
from asr_runtime.errors import AsrRuntimeError

if TYPE_CHECKING:
    from asr_runtime.audio.sample_format import SampleFormat

MIX = "mix"
"""The choice of ``--channels`` that gives one transcript of all channels."""


class Device(str, Enum):
    """The choices of ``--device``."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Format(str, Enum):
    """The choices of ``--format``."""

    text = "text"
    json = "json"


class TranscriptFormat(str, Enum):
    """The choices of ``--format`` for files."""

    text = "text"
    json = "json"
    srt = "srt"
    vtt = "vtt"
    tsv = "tsv"

    @property
    def suffix(self) -> str:
        """What the name of such a file ends with."""
        return ".txt" if self is TranscriptFormat.text else f".{self.value}"


def new_app() -> typer.Typer:
    """Return the app of one command: plain help, and programming errors keep their traceback."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"asr-run {__version__}")
        raise typer.Exit


SEPARATE = "separate"
"""The choice of ``--channels`` that gives a transcript for each channel."""


def parse_channels(text: str) -> str | int:
    """Return what ``--channels`` means: MIX, SEPARATE, or a number from 1 on.

    Raises:
        typer.BadParameter: It is none of these.
    """
    if text in (MIX, SEPARATE):
        return text
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise typer.BadParameter(
        f"{text!r} is not mix, separate or the number of a channel from 1 on",
        param_hint="'--channels'",
    )


def parse_raw_format(name: str | None, sample_rate: int | None) -> SampleFormat | None:
    """Return what ``--raw-format`` and ``--sample-rate`` mean; None if neither is given.

    Raises:
        typer.BadParameter: There is no such format, or it needs a sample rate.
    """
    if name is None and sample_rate is None:
        return None
    # It imports numpy, so only where it is needed.
    from asr_runtime.audio.sample_format import raw_format

    try:
        return raw_format(name or "s16le", sample_rate)
    except AsrRuntimeError as error:
        raise typer.BadParameter(error.problem, param_hint="'--raw-format'") from None


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
LanguageModelOption = Annotated[
    str | None,
    typer.Option(
        "--language-model", metavar="FILE", help="Language model to use instead of the English one."
    ),
]
AlternativesOption = Annotated[
    int,
    typer.Option(
        "--alternatives",
        min=1,
        max=100,
        metavar="N",
        help="Give the N best texts, each with its score; needs --format json.",
    ),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="json is one object a line, for each result.")
]
TranscriptFormatOption = Annotated[
    TranscriptFormat,
    typer.Option(
        "--format",
        help="json is one object a line, for each result; srt and vtt are subtitles, tsv a table.",
    ),
]
WordTimesOption = Annotated[
    bool, typer.Option("--word-times", help="Give every word of vtt subtitles its time.")
]
OutputDirOption = Annotated[
    str | None,
    typer.Option(
        "--output-dir", metavar="DIR", help="Write a file for each input there; call.wav: call.srt."
    ),
]
SkipExistingOption = Annotated[
    bool,
    typer.Option("--skip-existing", help="Leave out inputs whose file is in --output-dir already."),
]
RecursiveOption = Annotated[
    bool, typer.Option("--recursive", help="Look for audio in the folders below a folder too.")
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers",
        min=1,
        max=256,
        metavar="N",
        help="Processes that share the files, with one CPU thread each unless --threads is given.",
    ),
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
        help="Sample rate of audio without a header.",
    ),
]
RawFormatOption = Annotated[
    str | None,
    typer.Option(
        "--raw-format",
        metavar="FORMAT[:N]",
        help="Samples without a header, of N channels: s16le (the default with --sample-rate), "
        "mulaw or alaw (8000 Hz by default), f32le and others.",
    ),
]
ChannelsOption = Annotated[
    str,
    typer.Option(
        "--channels",
        metavar="mix|separate|N",
        help="Transcribe all channels as one, each by itself, or number N alone.",
    ),
]
AcceptIncompleteOption = Annotated[
    bool,
    typer.Option(
        "--accept-incomplete",
        help="Transcribe what is there of audio that is cut off or damaged, with a warning.",
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
