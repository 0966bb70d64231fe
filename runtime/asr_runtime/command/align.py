"""``asr-run align``: when the words of a known text were spoken."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from asr_runtime.command.loading import LoadingOptions, load_recognizer
from asr_runtime.command.messages import print_line, report
from asr_runtime.command.options import (
    MIX,
    SEPARATE,
    AcceptIncompleteOption,
    ChannelsOption,
    Device,
    DeviceOption,
    ModelOption,
    ThreadsOption,
    new_app,
    parse_channels,
)
from asr_runtime.errors import AlignmentError, AsrRuntimeError

app = new_app()


class AlignmentFormat(str, Enum):
    """How the times are printed."""

    text = "text"
    json = "json"
    srt = "srt"
    vtt = "vtt"


@app.command(help="Find when each word of a known text was spoken.")
def align(
    audio: Annotated[str, typer.Argument(help="Audio file; - is standard input.")],
    transcript: Annotated[Path, typer.Argument(help="Text file: what is said in it.")],
    model: ModelOption = None,
    device: DeviceOption = Device.auto,
    threads: ThreadsOption = None,
    output_format: Annotated[
        AlignmentFormat,
        typer.Option("--format", help="text: start, end and word, a line each; or subtitles."),
    ] = AlignmentFormat.text,
    channels: ChannelsOption = MIX,
    accept_incomplete: AcceptIncompleteOption = False,
) -> None:
    """Align, and warn if text and audio do not fit each other."""
    chosen = parse_channels(channels)
    if chosen == SEPARATE:
        raise typer.BadParameter("--channels separate cannot be aligned; give the number of one")
    text = _read(transcript)
    recognizer = load_recognizer(LoadingOptions(model=model, device=device, threads=threads))
    from asr_runtime.audio.standard_input import standard_input
    from asr_runtime.command.file_transcription import name_fields

    try:
        found = recognizer.align(
            standard_input() if audio == "-" else audio,
            text,
            channels=chosen,
            accept_incomplete=accept_incomplete,
        )
    except AlignmentError as error:
        report(f"{transcript}: {error.problem}")
        raise typer.Exit(1) from None
    except AsrRuntimeError as error:
        report(f"{audio}: {error.problem}")
        raise typer.Exit(1) from None
    if not found.fits:
        report(
            f"{transcript}: the text is probably not what is said in {audio} "
            f"(score {found.score:.2f}); its times mean little"
        )
    if output_format is AlignmentFormat.json:
        words = [word.to_dict() for word in found.words]
        fields = {**name_fields(audio), "score": round(found.score, 3), "fits": found.fits}
        print_line(json.dumps({**fields, "words": words}))
    elif output_format is AlignmentFormat.text:
        for word in found.words:
            print_line(f"{word.start:.3f}\t{word.end:.3f}\t{word.text}")
    else:
        from asr_runtime.subtitles import to_srt, to_vtt

        write = to_srt if output_format is AlignmentFormat.srt else to_vtt
        print_line(write(found.words).rstrip("\n") + "\n")
    if not found.fits:
        raise typer.Exit(1)


def _read(transcript: Path) -> str:
    try:
        return transcript.read_text(encoding="utf-8-sig")
    except OSError as error:
        report(f"{transcript}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        report(f"{transcript}: is not text in UTF-8; save it as such")
    raise typer.Exit(1)
