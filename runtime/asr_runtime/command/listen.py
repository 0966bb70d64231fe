"""``asr-run listen``: text while someone speaks, from a microphone or a stream."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from asr_runtime.command.loading import LoadingOptions, load_recognizer
from asr_runtime.command.option_groups import expand_option_groups
from asr_runtime.command.options import (
    MIX,
    SEPARATE,
    AcceptIncompleteOption,
    ChannelsOption,
    ChunkOption,
    Format,
    FormatOption,
    InputDeviceOption,
    LookaheadOption,
    PauseOption,
    RawFormatOption,
    SampleRateOption,
    new_app,
    parse_channels,
    parse_raw_format,
)

app = new_app()


@app.command(help="Show text while someone speaks into the microphone, or while a stream comes.")
@expand_option_groups
def listen(
    stream: Annotated[
        str | None,
        typer.Argument(
            metavar="[STREAM]",
            help="File, named pipe or, with -, standard input instead of the microphone; pipes "
            "carry WAV, or with ffmpeg anything else.",
            show_default=False,
        ),
    ] = None,
    *,
    input_device: InputDeviceOption = None,
    raw_format: RawFormatOption = None,
    sample_rate: SampleRateOption = None,
    channels: ChannelsOption = MIX,
    accept_incomplete: AcceptIncompleteOption = False,
    chunk_ms: ChunkOption = None,
    lookahead_ms: LookaheadOption = None,
    pause_ms: PauseOption = None,
    loading: LoadingOptions,
    output_format: FormatOption = Format.text,
) -> None:
    """Transcribe until the audio ends, or Ctrl-C ends it."""
    if input_device is not None and stream is not None:
        raise typer.BadParameter("--input-device is a microphone; leave STREAM out")
    loading = loading.checked()
    chosen = parse_channels(channels)
    if chosen == SEPARATE:
        raise typer.BadParameter("--channels separate takes files; give the number of one channel")
    if (sample_rate is not None or raw_format is not None) and stream is None:
        raise typer.BadParameter("--sample-rate needs a STREAM; a microphone brings its own")
    raw = parse_raw_format(raw_format, sample_rate)
    as_json = output_format is Format.json
    for_people = not as_json and sys.stdout.isatty()
    recognizer = load_recognizer(replace(loading, for_people=for_people))
    from asr_runtime.command import listening

    options = listening.ListenOptions(
        stream=stream,
        input_device=input_device,
        raw=raw,
        channels=chosen,
        accept_incomplete=accept_incomplete,
        chunk_ms=chunk_ms,
        lookahead_ms=lookahead_ms,
        pause_ms=pause_ms,
    )
    raise typer.Exit(listening.listen(recognizer, options, as_json=as_json))
