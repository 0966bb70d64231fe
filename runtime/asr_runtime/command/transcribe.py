"""``asr-run FILE…``: transcribe files, whatever happens to some of them.

``--stream``, ``--microphone`` and ``--doctor`` are what ``listen`` and ``doctor`` were before they
became commands. They stay, with the options that belong to them, and are not in the help.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from asr_runtime.command.loading import ReadableOptions, load_recognizer
from asr_runtime.command.messages import report
from asr_runtime.command.options import (
    MIX,
    SEPARATE,
    AcceptIncompleteOption,
    ChannelsOption,
    DecoderOption,
    Device,
    DeviceOption,
    Format,
    FormatOption,
    HotwordOption,
    LanguageModelOption,
    ModelOption,
    NumbersOption,
    PunctuateOption,
    PunctuationModelOption,
    RawFormatOption,
    SampleRateOption,
    ThreadsOption,
    VersionOption,
    new_app,
    parse_channels,
    parse_raw_format,
)
from asr_runtime.errors import AsrRuntimeError

app = new_app()

_COMMANDS = """\b
Commands, each with a --help of its own:
  asr-run listen   show text while someone speaks
  asr-run doctor   report versions, devices and models, and what is wrong with them

A file that is called like a command is ./listen.
"""

HiddenStream = Annotated[list[str] | None, typer.Option("--stream", hidden=True)]
HiddenText = Annotated[str | None, typer.Option(hidden=True)]
HiddenChunk = Annotated[int | None, typer.Option(min=1, hidden=True)]
HiddenLookahead = Annotated[int | None, typer.Option(min=0, hidden=True)]
HiddenPause = Annotated[int | None, typer.Option(min=100, hidden=True)]


@app.command(help="Transcribe English speech to text.", epilog=_COMMANDS)
def transcribe(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="WAV, FLAC, Ogg, Opus or MP3, or with ffmpeg any other; - is standard input.",
        ),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = Device.auto,
    threads: ThreadsOption = None,
    decoder: DecoderOption = None,
    language_model: LanguageModelOption = None,
    hotword: HotwordOption = None,
    punctuate: PunctuateOption = None,
    punctuation_model: PunctuationModelOption = None,
    numbers: NumbersOption = False,
    output_format: FormatOption = Format.text,
    channels: ChannelsOption = MIX,
    accept_incomplete: AcceptIncompleteOption = False,
    raw_format: RawFormatOption = None,
    sample_rate: SampleRateOption = None,
    stream: HiddenStream = None,
    microphone: Annotated[bool, typer.Option("--microphone", hidden=True)] = False,
    input_device: HiddenText = None,
    chunk_ms: HiddenChunk = None,
    lookahead_ms: HiddenLookahead = None,
    pause_ms: HiddenPause = None,
    doctor: Annotated[bool, typer.Option("--doctor", hidden=True)] = False,
    version: VersionOption = False,
) -> None:
    """Transcribe each file; or do what another command does, if one of the aliases is given."""
    files, stream = files or [], stream or []
    live = {"--chunk-ms": chunk_ms, "--lookahead-ms": lookahead_ms, "--pause-ms": pause_ms}
    _check_aliases(
        files,
        stream,
        microphone=microphone,
        doctor=doctor,
        input_device=input_device,
        live=live,
    )
    chosen = parse_channels(channels)
    if chosen == SEPARATE and (stream or microphone):
        raise typer.BadParameter("--channels separate takes files; give the number of one channel")
    if microphone and raw_format is not None:
        raise typer.BadParameter("--raw-format takes a file or a stream")
    if sample_rate is not None and not stream and (microphone or raw_format is None):
        raise typer.BadParameter(
            "--sample-rate needs --stream or --raw-format; other audio brings its own"
        )
    raw = parse_raw_format(raw_format, sample_rate)
    if doctor:
        from asr_runtime.command.doctor import examine

        examine(device, model, language_model, microphone, input_device, output_format)
        return
    if not files and not stream and not microphone:
        raise typer.BadParameter("give at least one audio file", param_hint="'FILE...'")
    as_json = output_format is Format.json
    live_for_people = bool(stream or microphone) and not as_json and sys.stdout.isatty()
    readable = ReadableOptions(punctuate, punctuation_model, numbers, for_people=live_for_people)
    recognizer = load_recognizer(model, device, threads, decoder, language_model, hotword, readable)
    if stream or microphone:
        from asr_runtime.command.listening import ListenOptions, listen

        options = ListenOptions(
            stream=stream[0] if stream else None,
            input_device=input_device,
            raw=raw,
            channels=chosen,
            accept_incomplete=accept_incomplete,
            chunk_ms=chunk_ms,
            lookahead_ms=lookahead_ms,
            pause_ms=pause_ms,
        )
        raise typer.Exit(listen(recognizer, options, as_json=as_json))
    from asr_runtime.command.file_transcription import ReadingOptions, transcribe_file

    reading = ReadingOptions(chosen, raw, accept_incomplete)
    failed = False
    for file in files:
        try:
            transcribe_file(recognizer, file, reading, as_json=as_json, named=len(files) > 1)
        except AsrRuntimeError as error:
            report(f"{file}: {error.problem}")
            failed = True
    if failed:
        raise typer.Exit(1)


def _check_aliases(
    files: list[str],
    stream: list[str],
    *,
    microphone: bool,
    doctor: bool,
    input_device: str | None,
    live: dict[str, int | None],
) -> None:
    """Raise typer.BadParameter for what does not go together."""
    if microphone and stream:
        raise typer.BadParameter("choose one of --stream and --microphone")
    if len(stream) > 1:
        raise typer.BadParameter("--stream can be given once; it takes one FILE")
    if (microphone or stream) and files:
        name = "--microphone" if microphone else "--stream"
        raise typer.BadParameter(f"{name} takes no further FILE", param_hint="'FILE...'")
    if doctor and stream:
        raise typer.BadParameter("--doctor takes no --stream")
    if input_device is not None and not microphone:
        raise typer.BadParameter("--input-device needs --microphone")
    for name, value in live.items():
        if value is not None and not (stream or microphone):
            raise typer.BadParameter(f"{name} needs --stream or --microphone")
    if doctor and files:
        raise typer.BadParameter("--doctor takes no FILE", param_hint="'FILE...'")
