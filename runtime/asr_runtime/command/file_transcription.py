"""The text of a file, as it is found."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.audio.audio_source import OneChannel
from asr_runtime.command.messages import report
from asr_runtime.command.options import MIX, SEPARATE
from asr_runtime.command.progress_bar import ProgressBar, clock_time
from asr_runtime.command.transcript_writers import JsonWriter, TextWriter
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.recognizer import Recognizer
from asr_runtime.transcript import Transcript

if TYPE_CHECKING:
    from asr_runtime.audio.sample_format import SampleFormat

STANDARD_INPUT = "-"


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


def transcribe_file(
    recognizer: Recognizer,
    file: str,
    reading: ReadingOptions | None = None,
    *,
    as_json: bool,
    named: bool,
) -> None:
    """Print the transcript of a file, or of standard input; or of each of its channels.

    Args:
        recognizer: What transcribes.
        file: The file, or STANDARD_INPUT.
        reading: How to read it.
        as_json: Whether to print a JSON object, which is printed when it is complete.
        named: Whether to begin the text with the file's name.

    Raises:
        AsrRuntimeError: There is no transcript, or it broke off.
    """
    reading = reading or ReadingOptions()
    start = time.perf_counter()
    separate = reading.channels == SEPARATE
    with AudioReader(
        sys.stdin.buffer if file == STANDARD_INPUT else file,
        channels=MIX if separate else reading.channels,
        raw_format=reading.raw,
        accept_incomplete=reading.accept_incomplete,
    ) as audio:
        numbers = range(1, audio.channel_count + 1) if separate else [None]
        warnings: list[str] = []
        for number in numbers:
            bar = ProgressBar(audio.duration, sys.stderr, sys.stdout)
            source = audio if number is None else OneChannel(audio, number)
            segments = _noting(recognizer.segments(source, progress=bar.update), warnings)
            channel = number if isinstance(reading.channels, str) else reading.channels
            try:
                if as_json:
                    _write_json(segments, file, channel, recognizer, bar, start)
                else:
                    label = "" if number is None else f"channel {number}: "
                    _write_text(segments, (f"{file}: " if named else "") + label, bar)
            finally:
                bar.clear()
        for warning in dict.fromkeys(warnings):
            report(f"warning: {file}: {warning}")


def _noting(segments: Iterator[Transcript], warnings: list[str]) -> Iterator[Transcript]:
    """Pass segments on, and keep their warnings."""
    for segment in segments:
        warnings += segment.warnings
        yield segment


def _write_text(segments: Iterator[Transcript], prefix: str, bar: ProgressBar) -> None:
    writer = TextWriter(sys.stdout, prefix, bar.clear, bar.wrote)
    try:
        for segment in segments:
            writer.add(segment)
    except BaseException as error:
        writer.break_off()
        if isinstance(error, AsrRuntimeError) and not writer.is_empty:
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
        first: dict[str, Any] = {"file": file}
        if channel is not None:
            first["channel"] = channel
        writer.write(sys.stdout, first, last)
