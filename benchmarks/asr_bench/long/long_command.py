"""``asr-bench long``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Optional

import typer

_HOURS = (0.1, 1.0, 10.0)
_SHORT_SECONDS = 30.0


def long(
    manifest: Annotated[
        list[Path], typer.Option(help="JSON-lines manifest of the clips; repeatable.")
    ],
    hours: Annotated[
        Optional[list[float]],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Option(help="Length of a recording; repeatable; 0.1, 1 and 10 if not given."),
    ] = None,
    decoder: Annotated[str, typer.Option(help="beam or greedy.")] = "beam",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the model.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the silences between the clips.")] = 1,
    json_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--json", help="Write rows and the environment here."),
    ] = None,
    markdown_out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--markdown", help="Write the table here."),
    ] = None,
) -> None:
    """Memory, time and accuracy of asr-run on recordings of hours, next to one of 30 s."""
    from tqdm import tqdm

    from asr_bench.errors import BenchError
    from asr_bench.long import long_recording
    from asr_bench.long.long_report import LongReport, LongRow
    from asr_bench.measuring.environment import capture_environment, load_average
    from asr_bench.tables.outputs import check_outputs, publish
    from asr_train.data.manifest import read_manifest

    lengths = sorted({3600 * length for length in hours or _HOURS})
    if lengths[0] <= 0:
        raise BenchError(f"hours must be more than 0, not {lengths[0] / 3600:g}")
    check_outputs(json_out, markdown_out)
    clips = [row for path in manifest for row in read_manifest(path)]
    options = ("--decoder", decoder, "--threads", str(threads), "--device", "cpu")
    environment = capture_environment()
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="asr-bench-") as folder,
        tqdm(total=len(clips) + 1 + len(lengths), unit="file") as bar,
    ):
        bar.set_description("clips alone")
        alone = long_recording.texts_alone(clips, options, after_clips=bar.update)
        for seconds in (_SHORT_SECONDS, *lengths):
            bar.set_description(f"{seconds / 3600:.2f} h")
            path = Path(folder) / "recording.wav"
            recording = long_recording.build_recording(clips, seconds, path, seed=seed)
            measured = long_recording.run_command([path], options)
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
    report = LongReport(environment, load_average(), options, seed, tuple(rows))
    publish(report, json_out, markdown_out)
