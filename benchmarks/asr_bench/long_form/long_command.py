"""``asr-bench long``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_bench import options
from asr_bench.errors import BenchError

if TYPE_CHECKING:
    from asr_bench.reporting.table import Table

FORMAT_VERSION = 1
_HOURS = (0.1, 1.0, 10.0)
_SHORT_SECONDS = 30.0


@dataclass(frozen=True)
class LongRow:
    """One recording, transcribed by ``asr-run`` in a fresh process.

    Attributes:
        audio_seconds: Length of the recording.
        clips: Number of clips that it is made of.
        seconds: Wall time of the command, from its start to its end.
        cpu_seconds: CPU time of the command.
        peak_memory: Peak resident bytes of the command.
        word_error_rate: Of the words heard of each clip.
        word_error_rate_alone: Of the same clips, each by itself.
    """

    audio_seconds: float
    clips: int
    seconds: float
    cpu_seconds: float
    peak_memory: int
    word_error_rate: float
    word_error_rate_alone: float


def long(
    manifest: options.Manifests,
    hours: Annotated[
        list[float] | None,
        typer.Option(help="Length of a recording; repeatable; 0.1, 1 and 10 if not given."),
    ] = None,
    decoder: Annotated[str, typer.Option(help="beam or greedy.")] = "beam",
    threads: options.Threads = 1,
    seed: Annotated[int, typer.Option(help="Seed of the silences between the clips.")] = 1,
    json_out: options.JsonOut = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Memory, time and accuracy of asr-run on recordings of hours, next to one of 30 s."""
    from tqdm import tqdm

    from asr_bench.long_form import long_recording
    from asr_bench.measuring.environment import capture_environment
    from asr_bench.reporting.outputs import publish

    lengths = sorted({3600 * length for length in hours or _HOURS})
    if lengths[0] <= 0:
        raise BenchError(f"hours must be more than 0, not {lengths[0] / 3600:g}")
    options.check_outputs(json_out, markdown_out)
    clips = options.read_manifests(manifest)
    command = ("--decoder", decoder, "--threads", str(threads), "--device", "cpu")
    environment = capture_environment()
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="asr-bench-") as folder,
        tqdm(total=len(clips) + 1 + len(lengths), unit="file") as bar,
    ):
        bar.set_description("clips alone")
        alone = long_recording.texts_alone(clips, command, after_clips=bar.update)
        for seconds in (_SHORT_SECONDS, *lengths):
            bar.set_description(f"{seconds / 3600:.2f} h")
            path = Path(folder) / "recording.wav"
            recording = long_recording.build_recording(clips, seconds, path, seed=seed)
            measured = long_recording.run_command([path], command)
            heard = long_recording.texts_within(recording, measured.transcripts[0])
            order = recording.clips
            rows.append(
                LongRow(
                    audio_seconds=recording.duration,
                    clips=len(order),
                    seconds=measured.seconds,
                    cpu_seconds=measured.cpu_seconds,
                    peak_memory=measured.peak_memory,
                    word_error_rate=long_recording.word_error_rate(clips, order, heard),
                    word_error_rate_alone=long_recording.word_error_rate(
                        clips, order, [alone[index] for index in order]
                    ),
                )
            )
            bar.update()
    document = {
        "format_version": FORMAT_VERSION,
        "options": list(command),
        "seed": seed,
        "silence_seconds": list(long_recording.SILENCE_SECONDS),
        "rows": [asdict(row) for row in rows],
    }
    publish(long_table(rows, command, seed), document, environment, json_out, markdown_out)


def long_table(rows: Sequence[LongRow], command: Sequence[str], seed: int) -> Table:
    """Make the table; the first row is the short recording that memory is compared with."""
    from asr_bench.long_form.long_recording import SILENCE_SECONDS
    from asr_bench.reporting.table import number, table, text

    low, high = SILENCE_SECONDS
    first = rows[0].peak_memory
    return table(
        "Long recordings",
        1,
        [
            [
                text("audio", _length(row.audio_seconds)),
                number("clips", row.clips, "d"),
                number("s", row.seconds, ".1f"),
                number("RTF", row.seconds / row.audio_seconds, ".4f"),
                number("CPU s / audio s", row.cpu_seconds / row.audio_seconds, ".4f"),
                number("peak MiB", row.peak_memory, ".0f", 2**-20),
                number("over first", row.peak_memory - first, "+.0f", 2**-20),
                number("WER %", row.word_error_rate, ".2f", 100),
                number("alone %", row.word_error_rate_alone, ".2f", 100),
            ]
            for row in rows
        ],
        [
            f"asr-run --format json {' '.join(command)}, a fresh process each; s, CPU and memory "
            "are of the whole process, from its start to its end",
            f"clips in their order, again and again, with {low:g} to {high:g} s of digital silence "
            f"between them (seed {seed}); alone: the same clips one by one",
        ],
    )


def _length(seconds: float) -> str:
    return f"{seconds / 3600:.2f} h" if seconds >= 300 else f"{seconds:.0f} s"
