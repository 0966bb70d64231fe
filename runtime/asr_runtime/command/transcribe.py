"""``asr-run FILE…``: transcribe files, whatever happens to some of them.

``--stream``, ``--microphone`` and ``--doctor`` are what ``listen`` and ``doctor`` were before they
became commands. They stay, with the options that belong to them, and are not in the help.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from asr_runtime.command.loading import LoadingOptions, load_recognizer
from asr_runtime.command.messages import report
from asr_runtime.command.option_groups import expand_option_groups
from asr_runtime.command.options import (
    MIX,
    SEPARATE,
    AcceptIncompleteOption,
    AlternativesOption,
    ChannelsOption,
    Format,
    OutputDirOption,
    RawFormatOption,
    RecursiveOption,
    SampleRateOption,
    SkipExistingOption,
    TranscriptFormat,
    TranscriptFormatOption,
    VersionOption,
    WordTimesOption,
    WorkersOption,
    new_app,
    parse_channels,
    parse_raw_format,
)
from asr_runtime.errors import AsrRuntimeError

if TYPE_CHECKING:
    from asr_runtime.audio.sample_format import SampleFormat

app = new_app()

_COMMANDS = """\b
Commands, each with a --help of its own:
  asr-run align    find when the words of a known text were spoken
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
@expand_option_groups
def transcribe(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="WAV, FLAC, Ogg, Opus or MP3, or with ffmpeg any other; folders; - is standard "
            "input.",
        ),
    ] = None,
    *,
    loading: LoadingOptions,
    alternatives: AlternativesOption = 1,
    output_format: TranscriptFormatOption = TranscriptFormat.text,
    word_times: WordTimesOption = False,
    output_dir: OutputDirOption = None,
    skip_existing: SkipExistingOption = False,
    recursive: RecursiveOption = False,
    workers: WorkersOption = 1,
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
    loading = replace(loading.checked(), alternatives=alternatives)
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
    writes_files = {
        "--output-dir": output_dir is not None,
        "--skip-existing": skip_existing,
        "--recursive": recursive,
        "--workers": workers > 1,
        "--word-times": word_times,
        "--alternatives": alternatives > 1,
    }
    if stream or microphone or doctor:
        for name, given in writes_files.items():
            if given:
                raise typer.BadParameter(f"{name} takes files to transcribe")
        if output_format not in (TranscriptFormat.text, TranscriptFormat.json):
            raise typer.BadParameter(f"--format {output_format.value} takes files to transcribe")
    if doctor:
        from asr_runtime.command.doctor import examine

        examine(
            loading.device,
            loading.model,
            loading.language_model,
            microphone,
            input_device,
            Format(output_format.value),
        )
        return
    if not files and not stream and not microphone:
        raise typer.BadParameter("give at least one audio file", param_hint="'FILE...'")
    as_json = output_format is TranscriptFormat.json
    if stream or microphone:
        for_people = not as_json and sys.stdout.isatty()
        recognizer = load_recognizer(replace(loading, for_people=for_people))
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
    if output_dir is None and skip_existing:
        raise typer.BadParameter("--skip-existing needs --output-dir")
    if alternatives > 1 and not as_json:
        raise typer.BadParameter("--alternatives needs --format json")
    if word_times and output_format is not TranscriptFormat.vtt:
        raise typer.BadParameter("--word-times needs --format vtt")
    if chosen == SEPARATE and output_format not in (TranscriptFormat.text, TranscriptFormat.json):
        raise typer.BadParameter(
            f"--format {output_format.value} has no place for several channels; give one's number"
        )
    if workers > 1 and "-" in files:
        raise typer.BadParameter("--workers takes files; standard input cannot be shared")
    if workers > 1 and loading.threads is None:
        loading = replace(loading, threads=1)
    failed = _transcribe_files(
        files,
        loading,
        chosen,
        raw,
        accept_incomplete=accept_incomplete,
        output_format=output_format,
        word_times=word_times,
        output_dir=output_dir,
        skip_existing=skip_existing,
        recursive=recursive,
        workers=workers,
    )
    if failed:
        raise typer.Exit(1)


def _transcribe_files(
    names: list[str],
    loading: LoadingOptions,
    channels: str | int,
    raw: SampleFormat | None,
    *,
    accept_incomplete: bool,
    output_format: TranscriptFormat,
    word_times: bool,
    output_dir: str | None,
    skip_existing: bool,
    recursive: bool,
    workers: int,
) -> int:
    """Transcribe the files that names stand for, and return how many failed."""
    from asr_runtime.command.inputs import find_inputs

    inputs, problems = find_inputs(names, recursive=recursive)
    subtitles = output_format not in (TranscriptFormat.text, TranscriptFormat.json)
    if subtitles and output_dir is None and len(inputs) > 1:
        raise typer.BadParameter(
            f"--format {output_format.value} of several files needs --output-dir"
        )
    for error in problems:
        report(str(error))
    if not inputs:
        return len(problems)
    from asr_runtime.command.file_transcription import ReadingOptions, WritingOptions
    from asr_runtime.command.many_files import ManyFiles, summary, transcribe_one_by_one

    several = len(inputs) + len(problems) > 1 or os.path.isdir(names[0])
    named = several and output_dir is None
    work = ManyFiles(
        inputs,
        ReadingOptions(channels, raw, accept_incomplete),
        WritingOptions(output_format, word_times, named),
        output_dir,
        skip_existing,
    )
    try:
        jobs = work.jobs()
    except AsrRuntimeError as error:
        report(str(error))
        raise typer.Exit(1) from None
    failed = 0
    if workers > 1 and len(jobs) > 1:
        from asr_runtime.command.many_processes import transcribe_in_processes

        failed = transcribe_in_processes(work, jobs, loading, workers)
    elif jobs:
        recognizer = load_recognizer(loading)
        failed = transcribe_one_by_one(work, jobs, recognizer)
    if several and (workers > 1 or output_dir is not None):
        report(summary(work, jobs, failed, len(problems)))
    return failed + len(problems)


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
