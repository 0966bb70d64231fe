"""The text of a file, as it is found."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.audio_source import OneChannel
from asr_runtime.audio.standard_input import standard_input
from asr_runtime.command.inputs import STANDARD_INPUT
from asr_runtime.command.messages import report
from asr_runtime.command.options import MIX, SEPARATE, TranscriptFormat
from asr_runtime.command.output_files import replaced_file
from asr_runtime.command.progress_bar import ProgressBar, clock_time
from asr_runtime.command.transcript_writers import JsonWriter, TextWriter
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.recognizer import Recognizer
from asr_runtime.standard_streams import name_as_text, shown_name
from asr_runtime.transcript import Transcript

if TYPE_CHECKING:
    from asr_runtime.audio.sample_format import SampleFormat
    from asr_runtime.command.subtitle_writer import SubtitleWriter


@dataclass(frozen=True)
class ReadingOptions:
    """How to read a file.

    Attributes:
        channels: MIX, SEPARATE, or the number of the channel to transcribe, from 1 on.
        raw: How samples lie in a file without a header.
        accept_incomplete: Whether a file that is cut off is a warning and no error.
    """

    channels: str | int = MIX
    raw: SampleFormat | None = None
    accept_incomplete: bool = False


@dataclass(frozen=True)
class WritingOptions:
    """How to write a transcript.

    Attributes:
        form: The format.
        word_times: Whether words in WebVTT have their times.
        named: Whether a line of text begins with the file's name.
    """

    form: TranscriptFormat = TranscriptFormat.text
    word_times: bool = False
    named: bool = False


def transcribe_file(
    recognizer: Recognizer,
    file: str,
    reading: ReadingOptions | None = None,
    writing: WritingOptions | None = None,
    *,
    destination: Path | None = None,
    stream: TextIO | None = None,
    bar: Callable[[float | None], ProgressBar] | None = None,
    remark: Callable[[str], None] = report,
) -> None:
    """Write the transcript of a file, or of standard input; or of each of its channels.

    Args:
        recognizer: What transcribes.
        file: The file, or STANDARD_INPUT.
        reading: How to read it.
        writing: How to write it.
        destination: File to write, which is there when it is complete; None for ``stream``.
        stream: Where to write if there is no destination; None for standard output.
        bar: Makes what shows the progress from the length in seconds, if that is known.
        remark: Called with each warning, a line.

    Raises:
        AsrRuntimeError: There is no transcript, or it broke off.
    """
    reading, writing = reading or ReadingOptions(), writing or WritingOptions()
    if destination is not None:
        with replaced_file(destination) as output:
            _transcribe(recognizer, file, reading, writing, output, bar, remark, shown=False)
        return
    output = stream or sys.stdout
    _transcribe(recognizer, file, reading, writing, output, bar, remark, shown=True)


def _transcribe(
    recognizer: Recognizer,
    file: str,
    reading: ReadingOptions,
    writing: WritingOptions,
    output: TextIO,
    make_bar: Callable[[float | None], ProgressBar] | None,
    remark: Callable[[str], None],
    *,
    shown: bool,
) -> None:
    start = time.perf_counter()
    separate = reading.channels == SEPARATE
    with AudioReader(
        standard_input() if file == STANDARD_INPUT else file,
        channels=MIX if separate else reading.channels,
        raw_format=reading.raw,
        accept_incomplete=reading.accept_incomplete,
    ) as audio:
        numbers = range(1, audio.channel_count + 1) if separate else [None]
        warnings: list[str] = []
        for number in numbers:
            bar = (make_bar or _bar_of_one)(audio.duration)
            source = audio if number is None else OneChannel(audio, number)
            segments = _noting(recognizer.segments(source, progress=bar.update), warnings)
            channel = number if isinstance(reading.channels, str) else reading.channels
            try:
                if writing.form is TranscriptFormat.json:
                    _write_json(segments, file, channel, recognizer, bar, start, output)
                elif writing.form is TranscriptFormat.text:
                    label = "" if number is None else f"channel {number}: "
                    prefix = (f"{shown_name(file)}: " if writing.named else "") + label
                    _write(segments, TextWriter(output, prefix, bar.clear, bar.wrote), shown=shown)
                else:
                    from asr_runtime.command.subtitle_writer import SubtitleWriter

                    writer = SubtitleWriter(
                        output, writing.form, word_times=writing.word_times, before=bar.clear
                    )
                    _write(segments, writer, shown=shown)
            finally:
                bar.clear()
        for warning in dict.fromkeys(warnings):
            remark(f"warning: {file}: {warning}")


def _bar_of_one(duration: float | None) -> ProgressBar:
    return ProgressBar(duration, sys.stderr, sys.stdout)


def _noting(segments: Iterator[Transcript], warnings: list[str]) -> Iterator[Transcript]:
    """Pass segments on, and keep their warnings."""
    for segment in segments:
        warnings += segment.warnings
        yield segment


def _write(
    segments: Iterator[Transcript], writer: TextWriter | SubtitleWriter, *, shown: bool
) -> None:
    try:
        for segment in segments:
            writer.add(segment)
    except BaseException as error:
        writer.break_off()
        if isinstance(error, AsrRuntimeError) and shown and not writer.is_empty:
            end = clock_time(writer.end_seconds)
            error.problem += f"; its text was printed up to about {end} and is not complete"
        raise
    writer.end()


def _write_json(
    segments: Iterator[Transcript],
    file: str,
    channel: int | None,
    recognizer: Recognizer,
    bar: ProgressBar,
    start: float,
    output: TextIO,
) -> None:
    with JsonWriter() as writer:
        for segment in segments:
            writer.add(segment)
        bar.clear()
        seconds = time.perf_counter() - start
        last = {
            "model": recognizer.model_path.name,
            "provider": recognizer.provider,
            "decoder": recognizer.decoder,
            "processing_seconds": round(seconds, 4),
            "real_time_factor": round(seconds / writer.totals.duration, 5),
        }
        first: dict[str, Any] = name_fields(file)
        if channel is not None:
            first["channel"] = channel
        writer.write(output, first, last)


def name_fields(file: str) -> dict[str, Any]:
    """Return a file's name for JSON, also its bytes if these are not text."""
    shown = name_as_text(file)
    if shown == file:
        return {"file": file}
    return {"file": shown, "file_base64": base64.b64encode(os.fsencode(file)).decode("ascii")}
