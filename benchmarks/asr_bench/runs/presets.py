"""``asr-bench latency``, ``precision`` and ``streaming``: runs with fewer parts or own engines.

Each prints its tables and writes ``--json``, the results of a run, and ``--markdown``, its report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_bench import options
from asr_bench.errors import BenchError
from asr_runtime.inference.cpus import usable_cpus

if TYPE_CHECKING:
    from asr_bench.engines.registry import ModelUnderTest, Row
    from asr_bench.results import Results
    from asr_bench.runs.plan import Part, Plan
    from asr_train.data.manifest import Utterance

_DURATIONS = (1.0, 5.0, 15.0, 30.0)  # seconds
_CHUNKS = (320.0, 640.0, 1280.0)  # milliseconds
_LOOKAHEADS = (180.0, 320.0, 640.0)
_PRESET = "edge"

Prepared = tuple["Plan", Sequence["ModelUnderTest"]]


def latency(
    checkpoint: options.Checkpoint = None,
    preset: options.Presets = None,
    duration: options.Durations = None,
    threads: options.ThreadCounts = None,
    rounds: options.Rounds = 10,
    warmup: options.Warmup = 2,
    engine: options.Engines = None,
    time_limit: options.TimeLimit = 300.0,
    json_out: options.JsonOut = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Time the network in PyTorch, TorchScript and ONNX Runtime, interleaved.

    A preset of ``run``: a generated signal, batch 1, log-probabilities without decoding, and what
    the machine can do beside them.
    """
    durations = tuple(dict.fromkeys(duration or _DURATIONS))
    counts = tuple(dict.fromkeys(threads or range(1, min(2, usable_cpus()) + 1)))
    options.check_numbers(durations, counts, rounds, warmup)
    options.check_outputs(json_out, markdown_out)
    _check_sources(checkpoint, preset)

    def prepare(folder: Path) -> Prepared:
        from asr_bench.engines.registry import LATENCY_ENGINES

        models = _models(checkpoint, preset, folder, LATENCY_ENGINES)
        return _plan(folder, durations, counts, rounds, warmup), models

    _measure(prepare, engine, time_limit, json_out, markdown_out)


def precision(
    checkpoint: options.Checkpoint = None,
    preset: options.Presets = None,
    manifest: options.OptionalManifests = None,
    seconds: options.Seconds = 30.0,
    rounds: options.Rounds = 10,
    warmup: options.Warmup = 2,
    engine: options.Engines = None,
    time_limit: options.TimeLimit = 300.0,
    json_out: options.JsonOut = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Size, speed, memory and accuracy of every format and precision, on one thread.

    A preset of ``run``: log-probabilities are compared with the checkpoint's in float32, and, with
    a manifest, words are counted.
    """
    options.check_numbers((seconds,), (1,), rounds, warmup)
    options.check_outputs(json_out, markdown_out)
    _check_sources(checkpoint, preset)
    if manifest and checkpoint is None:
        raise BenchError(
            "random weights have no word error rate: give a checkpoint, or no manifest"
        )
    if preset and len(preset) > 1:
        raise BenchError("give one --preset; formats of several models are not compared")

    def prepare(folder: Path) -> Prepared:
        from asr_bench.engines.registry import FORMAT_ENGINES
        from asr_train.data.filtering import select_and_report

        models = _models(checkpoint, preset, folder, FORMAT_ENGINES)
        rows = options.read_manifests(manifest)
        if rows and models[0].checkpoint is not None:
            rows = select_and_report(rows, models[0].checkpoint.model.config, "recordings")
        plan = _plan(folder, (seconds,), (1,), rounds, warmup, rows)
        reference = models[0].engines[-1].name
        parts: frozenset[Part] = frozenset(("latency", "words", "log-probabilities"))
        return replace(plan, parts=parts, reference=reference, scratch=folder), models

    _measure(prepare, engine, time_limit, json_out, markdown_out)


def streaming(
    manifest: options.Manifests,
    model: Annotated[
        Path | None, typer.Option(help="Streaming ONNX model; the packaged one if not given.")
    ] = None,
    chunk_ms: Annotated[
        list[float] | None,
        typer.Option(help="Chunk length; repeatable; 320, 640 and 1280 if not given."),
    ] = None,
    lookahead_ms: Annotated[
        list[float] | None,
        typer.Option(help="Look-ahead; repeatable; 180, 320 and 640 if not given."),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Use every Nth recording.")] = 1,
    engine: options.Engines = None,
    time_limit: options.TimeLimit = 300.0,
    json_out: options.JsonOut = None,
    markdown_out: options.MarkdownOut = None,
) -> None:
    """Word error rate, latency and computing of live streams, by chunk and look-ahead.

    A preset of ``run``: asr-run with both decoders on one thread, whole recordings and streams.
    """
    options.check_outputs(json_out, markdown_out)

    def prepare(folder: Path) -> Prepared:
        from asr_bench.engines.asr_run import AsrRun
        from asr_bench.engines.registry import model_under_test
        from asr_bench.runs.plan import StreamSetting

        plan = _plan(folder, (), (1,), 1, 0, options.read_manifests(manifest)[::every])
        found = model_under_test(model, folder)
        engines = tuple(one for one in found.engines if isinstance(one, AsrRun))
        if not any(one.streams for one in engines):
            raise BenchError(f"{model} cannot stream; export it with --streaming")
        plan = replace(
            plan,
            parts=frozenset(("words", "streams")),
            streams=[
                StreamSetting(chunk, lookahead)
                for chunk in dict.fromkeys(chunk_ms or _CHUNKS)
                for lookahead in dict.fromkeys(lookahead_ms or _LOOKAHEADS)
            ],
            stream_recordings=plan.recordings,
        )
        return plan, [replace(found, engines=engines)]

    _measure(prepare, engine, time_limit, json_out, markdown_out)


def _measure(
    prepare: Callable[[Path], Prepared],
    wanted: Sequence[str] | None,
    time_limit: float,
    json_out: Path | None,
    markdown_out: Path | None,
) -> None:
    from asr_bench import reporting
    from asr_bench.engines.registry import choose
    from asr_bench.runs.session import Session, run_and_report

    def measure_all() -> Results:
        with tempfile.TemporaryDirectory(prefix="asr-bench-") as name:
            plan, models = prepare(Path(name))
            engines = choose([one for model in models for one in model.engines], wanted or [])
            if plan.reference is not None:  # the others are compared with it
                every = [one for model in models for one in model.engines]
                engines = [one for one in every if one in engines or one.name == plan.reference]
            return Session(plan, models, engines, time_limit, json_out).run()

    def report(results: Results) -> None:
        typer.echo(reporting.to_text(results))
        if markdown_out is not None:
            reporting.write_markdown(results, markdown_out)

    run_and_report(measure_all, report, "above" if json_out is None else f"above and in {json_out}")


def _plan(
    folder: Path,
    durations: tuple[float, ...],
    threads: tuple[int, ...],
    rounds: int,
    warmup: int,
    rows: Sequence[Utterance] = (),
) -> Plan:
    """Plan to time the network alone, on a generated signal."""
    from asr_bench.results import Settings
    from asr_bench.runs.clips import write_audio
    from asr_bench.runs.normalization import AS_WRITTEN
    from asr_bench.runs.plan import Plan

    settings = Settings(durations, threads, (), rounds, warmup, False, 0, 0.0, task="log_probs")
    settings, recordings, clips = write_audio(rows, settings, folder, speech=False)
    if recordings:
        settings = replace(settings, normalizer=AS_WRITTEN.name)
    return Plan(
        settings=settings,
        clips=clips,
        recordings=recordings,
        normalizer=AS_WRITTEN if recordings else None,
        parts=frozenset(("latency",)),
    )


def _check_sources(checkpoint: Path | None, presets: Sequence[str] | None) -> None:
    if checkpoint is not None and presets:
        raise BenchError("give a checkpoint or --preset, not both")


def _models(
    checkpoint: Path | None, presets: Sequence[str] | None, folder: Path, rows: Sequence[Row]
) -> list[ModelUnderTest]:
    from asr_bench.engines.registry import model_under_test, random_model
    from asr_train.checkpoints.checkpoint import load_checkpoint

    if checkpoint is None:
        return [random_model(name, folder, rows) for name in presets or [_PRESET]]
    if not checkpoint.is_dir():
        load_checkpoint(checkpoint)  # says what is wrong with it
    return [model_under_test(checkpoint, folder, rows)]
