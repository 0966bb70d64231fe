"""``asr-bench hotwords``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from asr_bench import options
from asr_train.synthesis.engines import Engine


def hotwords(
    manifest: Annotated[
        list[Path] | None,
        typer.Option(help="Speech without the names, to count false alarms in; repeatable."),
    ] = None,
    engine: Annotated[
        list[Engine] | None,
        typer.Option(help="Synthetic speakers; repeatable; hibari and nanotts if not given."),
    ] = None,
    voices: Annotated[int, typer.Option(min=1, help="Voices of each engine for each name.")] = 2,
    model: Annotated[
        Path | None,
        typer.Option(help="Model file; the runtime's default one if left out."),
    ] = None,
    language_model: Annotated[
        Path | None,
        typer.Option(help="Language model; the runtime's default one if left out."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the voices.")] = 1,
    json_out: options.JsonOut = None,
) -> None:
    """Forty rare names as hotwords: how many are heard, and how often where nobody says them."""
    from tqdm import tqdm

    from asr_bench.hotwords.measurement import measure_hotwords
    from asr_bench.hotwords.spoken_names import NAMES, speak_names
    from asr_train.output import replacing

    options.check_outputs(json_out)
    engines = engine or list(Engine)
    others = options.read_manifests(manifest)
    total = len(NAMES) * voices * len(engines) + len(others)
    with tqdm(total=total, unit="file") as bar:
        report = measure_hotwords(
            NAMES,
            speak_names(NAMES, engines, voices, seed),
            others,
            model,
            language_model,
            bar.update,
        )
    for line in report.lines():
        typer.echo(line)
    if json_out is not None:
        with replacing(json_out) as partial:
            partial.write_text(json.dumps(report.to_dict(), indent=1) + "\n", encoding="utf-8")
