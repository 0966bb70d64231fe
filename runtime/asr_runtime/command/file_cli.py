"""``asr-run FILE``: the text of a file, as it is found."""

import sys
import time

from asr_runtime.audio.audio_reader import AudioReader
from asr_runtime.command.piece_writers import JsonWriter, TextWriter
from asr_runtime.command.progress_bar import ProgressBar, clock_time
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.long_recordings.pieces import Pieces
from asr_runtime.recognizer import Recognizer

STANDARD_INPUT = "-"


def transcribe_file(recognizer: Recognizer, file: str, *, as_json: bool, named: bool) -> None:
    """Print the transcript of a file, or of standard input.

    named: begin its text with its name.

    Raises AsrRuntimeError if there is none, or if it broke off; JSON is only printed when it is
    complete.
    """
    start = time.perf_counter()
    with AudioReader(sys.stdin.buffer if file == STANDARD_INPUT else file) as audio:
        bar = ProgressBar(audio.duration, sys.stderr, sys.stdout)
        pieces = recognizer.pieces(audio, progress=bar.update)
        try:
            if as_json:
                _write_json(pieces, file, recognizer, bar, start)
            else:
                _write_text(pieces, f"{file}: " if named else "", bar)
        finally:
            bar.clear()


def _write_text(pieces: Pieces, prefix: str, bar: ProgressBar) -> None:
    writer = TextWriter(sys.stdout, prefix, bar.clear, bar.wrote)
    try:
        for piece in pieces:
            writer.add(piece)
    except BaseException as error:
        writer.break_off()
        if isinstance(error, AsrRuntimeError) and not writer.is_empty:
            end = clock_time(pieces.duration)
            error.problem += f"; its text was printed up to about {end} and is not complete"
        raise
    writer.end()


def _write_json(
    pieces: Pieces, file: str, recognizer: Recognizer, bar: ProgressBar, start: float
) -> None:
    with JsonWriter() as writer:
        for piece in pieces:
            writer.add(piece)
        bar.clear()
        seconds = time.perf_counter() - start
        writer.write(
            sys.stdout,
            {"file": file},
            pieces.confidence,
            pieces.duration,
            {
                "model": recognizer.model_path.name,
                "provider": recognizer.provider,
                "decoder": recognizer.decoder,
                "processing_seconds": round(seconds, 4),
                "real_time_factor": round(seconds / pieces.duration, 5),
            },
        )
