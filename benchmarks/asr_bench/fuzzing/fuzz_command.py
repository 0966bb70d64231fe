"""``asr-bench fuzz``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_bench import options
from asr_bench.errors import BenchError

if TYPE_CHECKING:
    from asr_bench.fuzzing.seeds import Target


def fuzz(
    models: Annotated[int, typer.Option(min=0, help="Damaged model files to try.")] = 0,
    audio: Annotated[int, typer.Option(min=0, help="Damaged audio files to try.")] = 0,
    language_models: Annotated[
        int, typer.Option(min=0, help="Damaged language model files to try.")
    ] = 0,
    seconds: Annotated[
        float | None,
        typer.Option(help="Stop after so many, shared among the kinds; no limit if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the damage.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 1,
    findings: Annotated[
        Path, typer.Option(help="Folder for the files that show something wrong.")
    ] = Path("fuzz-findings"),
    json_out: options.JsonOut = None,
) -> None:
    """Try damaged files on the runtime: each must give a result or a clear error."""
    from tqdm import tqdm

    from asr_bench.fuzzing import seeds
    from asr_bench.fuzzing.campaign import Campaign
    from asr_bench.fuzzing.report import FuzzReport

    if not models + audio + language_models:
        raise BenchError("nothing to try; give --models, --audio or --language-models")
    if seconds is not None and not seconds > 0:
        raise BenchError(f"seconds must be more than 0, not {seconds:g}")
    options.check_outputs(json_out)
    wanted: list[tuple[int, Callable[[], Target]]] = [
        (models, lambda: seeds.models(seeds.small_model())),
        (audio, seeds.audio),
        (language_models, seeds.language_models),
    ]
    chosen = [(count, prepare()) for count, prepare in wanted if count]
    campaign = Campaign(seed, findings, workers)
    results = []
    begin = time.monotonic()
    with tqdm(total=sum(count for count, _ in chosen), unit="file") as bar:
        for part, (count, target) in enumerate(chosen, 1):
            bar.set_description(target.name)
            # What one kind leaves of its time is the next one's.
            deadline = None if seconds is None else begin + seconds * part / len(chosen)
            results.append(campaign.run(target, count, deadline=deadline, after_file=bar.update))
    report = FuzzReport(campaign, results)
    typer.echo(report.text())
    if json_out is not None:
        report.save(json_out)
    if report.findings:
        counted = "1 file was" if report.findings == 1 else f"{report.findings} files were"
        raise BenchError(f"{counted} not taken as it should be; see {findings}")
