"""The ``asr-run`` command. Everything slow to import is imported once the arguments are known."""

import json
import sys
import warnings
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asr_runtime import __version__
from asr_runtime.command.live_options import LiveOptions
from asr_runtime.errors import AsrRuntimeError

if TYPE_CHECKING:
    from asr_runtime.recognizer import Recognizer


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


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main() -> None:
    """Entry point. Exit status: 0, 1 if something failed, 2 for wrong usage; see `live_cli` too."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        _print(f"asr-run {__version__}")
        raise typer.Exit


@app.command(help="Transcribe English speech to text.")
def transcribe(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="WAV, FLAC, Ogg, Opus or MP3; - is standard input."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="FILE", help="Model to use instead of the default one.")
    ] = None,
    device: Annotated[
        Device, typer.Option(help="auto is cuda where it works, and cpu otherwise.")
    ] = Device.auto,
    threads: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="CPU threads; by default all CPUs it may use."),
    ] = None,
    decoder: Annotated[
        Decoder | None,
        typer.Option(
            help="beam uses a language model; greedy is quicker. Default: beam, or greedy with "
            "--model and no language model or hotword."
        ),
    ] = None,
    language_model: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Language model to use instead of the English one."),
    ] = None,
    hotword: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Word or phrase to listen for; repeatable."),
    ] = None,
    output_format: Annotated[
        Format,
        typer.Option("--format", help="json is one object a line, for each file or live result."),
    ] = Format.text,
    stream: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Show text while audio comes, from a file, a named pipe or, with -, standard "
            "input; pipes carry WAV.",
        ),
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            min=1000,
            max=768_000,
            metavar="HZ",
            help="The stream has no header, but 16-bit little-endian mono samples of this rate.",
        ),
    ] = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Show text while you speak; Ctrl-C ends.")
    ] = False,
    input_device: Annotated[
        str | None,
        typer.Option(metavar="NAME|NUMBER", help="Microphone to use; --doctor lists them."),
    ] = None,
    chunk_ms: Annotated[
        int | None,
        typer.Option(min=1, metavar="MS", help="Live audio that goes through the model at a time."),
    ] = None,
    lookahead_ms: Annotated[
        int | None,
        typer.Option(min=0, metavar="MS", help="Live audio after it that the model waits for."),
    ] = None,
    pause_ms: Annotated[
        int | None,
        typer.Option(min=100, metavar="MS", help="Silence that ends a live sentence."),
    ] = None,
    doctor: Annotated[
        bool,
        typer.Option(
            "--doctor",
            help="Report versions, devices and models instead, and what is wrong with them.",
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Transcribe each file, whatever happens to the others."""
    # A file name need not be valid in the terminal's encoding; show it rather than fail.
    for output in (sys.stdout, sys.stderr):
        if hasattr(output, "reconfigure"):
            output.reconfigure(errors="backslashreplace")
    files = files or []
    live = LiveOptions(
        stream=stream or [],
        microphone=microphone,
        input_device=input_device,
        sample_rate=sample_rate,
        chunk_ms=chunk_ms,
        lookahead_ms=lookahead_ms,
        pause_ms=pause_ms,
    )
    live.check(files, doctor=doctor)
    if doctor:
        if files:
            raise typer.BadParameter("--doctor takes no FILE", param_hint="'FILE...'")
        _diagnose(device, model, language_model, live, output_format)
        return
    if not files and not live.wanted:
        raise typer.BadParameter("give at least one audio file", param_hint="'FILE...'")
    try:
        recognizer = _load(
            model,
            device=device.value,
            threads=threads,
            decoder=None if decoder is None else decoder.value,
            language_model=language_model,
            hotwords=hotword or [],
        )
    except AsrRuntimeError as error:
        _report(str(error))
        raise typer.Exit(1) from None
    as_json = output_format is Format.json
    if live.wanted:
        from asr_runtime.command.live_cli import transcribe_live

        raise typer.Exit(transcribe_live(recognizer, live, as_json=as_json, report=_report))
    from asr_runtime.command.file_cli import transcribe_file

    failed = False
    for file in files:
        try:
            transcribe_file(recognizer, file, as_json=as_json, named=len(files) > 1)
        except AsrRuntimeError as error:
            _report(f"{file}: {error.problem}")
            failed = True
    if failed:
        raise typer.Exit(1)


def _diagnose(
    device: Device,
    model: str | None,
    language_model: str | None,
    live: LiveOptions,
    output_format: Format,
) -> None:
    from asr_runtime.command.doctor import diagnose

    report = diagnose(
        device.value,
        model=model,
        language_model=language_model,
        microphone=live.microphone,
        input_device=live.input_device,
    )
    _print(json.dumps(report.to_dict()) if output_format is Format.json else report.text())
    for problem in report.problems:
        _report(problem)
    if report.problems:
        raise typer.Exit(1)


def _load(model: str | None, **options: Any) -> "Recognizer":
    from asr_runtime.recognizer import Recognizer

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recognizer = Recognizer.load(model, **options)
    for warning in caught:
        _report(f"warning: {warning.message}")
    return recognizer


def _print(line: str) -> None:
    # At once: a reader at the other end of a pipe sees each file's text when it is done. If that
    # reader has left, typer ends the command quietly.
    print(line, flush=True)


def _report(message: str) -> None:
    """One line on standard error, whatever a file name or a library's message contains."""
    print(f"asr-run: {' '.join(message.splitlines())}", file=sys.stderr)
