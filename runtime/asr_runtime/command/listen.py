"""``asr-run listen``: text while someone speaks, from a microphone or a stream."""

from __future__ import annotations

from typing import Annotated

import typer

from asr_runtime.command.loading import load_recognizer
from asr_runtime.command.options import (
    ChunkOption,
    DecoderOption,
    Device,
    DeviceOption,
    Format,
    FormatOption,
    HotwordOption,
    InputDeviceOption,
    LanguageModelOption,
    LookaheadOption,
    ModelOption,
    PauseOption,
    SampleRateOption,
    ThreadsOption,
    new_app,
)

app = new_app()


@app.command(help="Show text while someone speaks into the microphone, or while a stream comes.")
def listen(
    stream: Annotated[
        str | None,
        typer.Argument(
            metavar="[STREAM]",
            help="File, named pipe or, with -, standard input instead of the microphone; pipes "
            "carry WAV.",
            show_default=False,
        ),
    ] = None,
    input_device: InputDeviceOption = None,
    sample_rate: SampleRateOption = None,
    chunk_ms: ChunkOption = None,
    lookahead_ms: LookaheadOption = None,
    pause_ms: PauseOption = None,
    model: ModelOption = None,
    device: DeviceOption = Device.auto,
    threads: ThreadsOption = None,
    decoder: DecoderOption = None,
    language_model: LanguageModelOption = None,
    hotword: HotwordOption = None,
    output_format: FormatOption = Format.text,
) -> None:
    """Transcribe until the audio ends, or Ctrl-C ends it."""
    if input_device is not None and stream is not None:
        raise typer.BadParameter("--input-device is a microphone; leave STREAM out")
    if sample_rate is not None and stream is None:
        raise typer.BadParameter("--sample-rate needs a STREAM; a microphone brings its own")
    recognizer = load_recognizer(model, device, threads, decoder, language_model, hotword)
    from asr_runtime.command import listening

    options = listening.ListenOptions(
        stream=stream,
        input_device=input_device,
        sample_rate=sample_rate,
        chunk_ms=chunk_ms,
        lookahead_ms=lookahead_ms,
        pause_ms=pause_ms,
    )
    as_json = output_format is Format.json
    raise typer.Exit(listening.listen(recognizer, options, as_json=as_json))
