"""The text of a file, as it is found."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.command.progress_bar import ProgressBar, clock_time
from asr_runtime.command.transcript_writers import JsonWriter, TextWriter
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.recognizer import Recognizer
from asr_runtime.transcript import Transcript

STANDARD_INPUT = "-"


def transcribe_file(recognizer: Recognizer, file: str, *, as_json: bool, named: bool) -> None:
    """Print the transcript of a file, or of standard input.

    Args:
        recognizer: What transcribes.
        file: The file, or STANDARD_INPUT.
        as_json: Whether to print a JSON object, which is printed when it is complete.
        named: Whether to begin the text with the file's name.

    Raises:
        AsrRuntimeError: There is no transcript, or it broke off.
    """
    start = time.perf_counter()
    with AudioReader(sys.stdin.buffer if file == STANDARD_INPUT else file) as audio:
        bar = ProgressBar(audio.duration, sys.stderr, sys.stdout)
        segments = recognizer.segments(audio, progress=bar.update)
        try:
            if as_json:
                _write_json(segments, file, recognizer, bar, start)
            else:
                _write_text(segments, f"{file}: " if named else "", bar)
        finally:
            bar.clear()


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
        writer.write(sys.stdout, {"file": file}, last)
