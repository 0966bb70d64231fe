"""``asr-bench``: measure models, and try what damaged files do to the runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from asr_bench.comparison.compare_cli import compare, table
from asr_bench.full_run.run_cli import run
from asr_bench.hotwords.hotwords_command import hotwords
from asr_bench.long.long_command import long
from asr_bench.model_forms.profile_command import profile
from asr_bench.tables.outputs import check_outputs, publish
from asr_train.command.run_command import run_command

if TYPE_CHECKING:
    from asr_bench.fuzzing.seeds import Target
    from asr_train.checkpoints.checkpoint import Checkpoint

app = typer.Typer(
    help="Measure every form of a model; try damaged files.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

_DURATIONS = (1.0, 5.0, 15.0, 30.0)  # seconds
_PRESETS = ("edge",)
_CHUNKS = (320.0, 640.0, 1280.0)  # milliseconds
_LOOKAHEADS = (180.0, 320.0, 640.0)

OutputOption = Optional[Path]  # noqa: UP045 - typer reads it at run time on Python 3.10


@app.callback()
def _callback() -> None:
    # Without it typer would make a single command the whole program.
    pass


app.command()(run)
app.command()(compare)
app.command()(table)
app.command()(long)
app.command()(profile)
app.command()(hotwords)


@app.command()
def latency(
    checkpoint: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="Checkpoint folder of asr-train."),
    ] = None,
    preset: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            help="edge or base with random weights, in place of a checkpoint; repeatable; "
            "edge if neither is given."
        ),
    ] = None,
    duration: Annotated[
        Optional[list[float]],  # noqa: UP045
        typer.Option(help="Seconds of audio; repeatable; 1, 5, 15 and 30 if not given."),
    ] = None,
    threads: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option(help="Repeatable; 1 and, where there are two cores, 2 if not given."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Samples of everything.")] = 10,
    warmup: Annotated[int, typer.Option(help="Rounds before those, not counted.")] = 2,
    json_out: Annotated[
        OutputOption, typer.Option("--json", help="Write every sample and the environment here.")
    ] = None,
    markdown_out: Annotated[
        OutputOption, typer.Option("--markdown", help="Write the table here.")
    ] = None,
) -> None:
    """Time one utterance in PyTorch, TorchScript and ONNX Runtime, interleaved."""
    from tqdm import tqdm

    from asr_bench.measuring.environment import capture_environment, load_average, logical_cores
    from asr_bench.model_forms.latency import LatencySettings, measure_latency
    from asr_bench.model_forms.latency_report import LatencyReport
    from asr_bench.model_forms.subjects import prepare

    # Whatever can be wrong is found here, before minutes of measuring.
    settings = LatencySettings(
        durations=tuple(dict.fromkeys(duration or _DURATIONS)),
        threads=tuple(dict.fromkeys(threads or range(1, min(2, logical_cores()) + 1))),
        rounds=rounds,
        warmup=warmup,
    )
    check_outputs(json_out, markdown_out)
    sources = _sources(checkpoint, preset)

    environment = capture_environment()
    subjects, cells = [], []
    with tqdm(total=len(sources) * settings.rounds_in_all, unit="round") as bar:
        for name, source in sources.items():
            bar.set_description(f"exporting {name}")
            subject = prepare(name, source, settings.threads)
            bar.set_description(f"measuring {name}")
            subjects.append(subject)
            cells += measure_latency(subject, settings, after_round=bar.update)
    report = LatencyReport(environment, load_average(), settings, tuple(subjects), tuple(cells))
    publish(report, json_out, markdown_out)


@app.command()
def precision(
    checkpoint: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="Checkpoint folder of asr-train."),
    ] = None,
    preset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="edge or base with random weights, in place of a checkpoint; edge if neither is "
            "given."
        ),
    ] = None,
    manifest: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="JSON-lines manifest of recordings to read; repeatable."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Length of the audio to time.")] = 30.0,
    rounds: Annotated[int, typer.Option(help="Samples of everything.")] = 10,
    warmup: Annotated[int, typer.Option(help="Rounds before those, not counted.")] = 2,
    json_out: Annotated[
        OutputOption, typer.Option("--json", help="Write every sample and the environment here.")
    ] = None,
    markdown_out: Annotated[
        OutputOption, typer.Option("--markdown", help="Write the table here.")
    ] = None,
) -> None:
    """Size, speed, memory and accuracy of every form and precision, on one thread."""
    from tqdm import tqdm

    from asr_bench.errors import BenchError
    from asr_bench.measuring.environment import capture_environment, load_average
    from asr_bench.model_forms.forms import FORMS, export_forms
    from asr_bench.model_forms.latency import LatencySettings
    from asr_bench.model_forms.precision import measure_accuracy, measure_cost
    from asr_bench.model_forms.precision_report import PrecisionReport
    from asr_train.data.filtering import select_and_report
    from asr_train.data.manifest import read_manifest

    settings = LatencySettings(durations=(seconds,), threads=(1,), rounds=rounds, warmup=warmup)
    check_outputs(json_out, markdown_out)
    ((name, source),) = _sources(checkpoint, None if preset is None else [preset]).items()
    if manifest and checkpoint is None:
        raise BenchError(
            "random weights have no word error rate: give a checkpoint, or no manifest"
        )
    rows = [row for path in manifest or [] for row in read_manifest(path)]
    if rows:
        rows = select_and_report(rows, source.model.config, "recordings")

    environment = capture_environment()
    with (
        tempfile.TemporaryDirectory(prefix="asr-bench-") as folder,
        tqdm(total=settings.rounds_in_all, unit="round") as bar,
    ):
        files = export_forms(
            source,
            Path(folder),
            FORMS,
            before_each=lambda label: bar.set_description(f"exporting {label}"),
        )
        bar.set_description("reading")
        accuracies = measure_accuracy(source, files, utterances=rows, probe_seconds=seconds)
        bar.set_description("measuring")
        costs = measure_cost(files, settings, Path(folder), after_round=bar.update)
        sizes = {label: path.stat().st_size for label, path in files.items()}
    report = PrecisionReport(
        environment=environment,
        load_average_after=load_average(),
        model=name,
        checkpoint_sha256=source.sha256,
        parameters=sum(weight.numel() for weight in source.model.parameters()),
        settings=settings,
        recordings=(len(rows), sum(row.duration for row in rows)),
        forms=FORMS,
        sizes=sizes,
        costs=costs,
        accuracies=accuracies,
    )
    publish(report, json_out, markdown_out)


@app.command()
def streaming(
    manifest: Annotated[
        list[Path], typer.Option(help="JSON-lines manifest of recordings; repeatable.")
    ],
    model: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Streaming ONNX model; the packaged one if not given."),
    ] = None,
    chunk_ms: Annotated[
        Optional[list[float]],  # noqa: UP045
        typer.Option(help="Repeatable; 320, 640 and 1280 if not given."),
    ] = None,
    lookahead_ms: Annotated[
        Optional[list[float]],  # noqa: UP045
        typer.Option(help="Repeatable; 180, 320 and 640 if not given."),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Take every so many recordings only.")] = 1,
    json_out: Annotated[
        OutputOption, typer.Option("--json", help="Write every sample and the environment here.")
    ] = None,
    markdown_out: Annotated[
        OutputOption, typer.Option("--markdown", help="Write the table here.")
    ] = None,
) -> None:
    """Word error rate, latency and computing of live streams, by chunk and look-ahead."""
    from tqdm import tqdm

    from asr_bench.live.stream_recording import StreamSetting
    from asr_bench.live.streaming import load_decoders, measure_stream, measure_whole
    from asr_bench.live.streaming_report import StreamingReport
    from asr_bench.measuring.environment import capture_environment, load_average
    from asr_train.data.manifest import read_manifest

    check_outputs(json_out, markdown_out)
    recognizers = load_decoders(model)
    rows = [row for path in manifest for row in read_manifest(path)][::every]
    settings = [
        StreamSetting(chunk, lookahead)
        for chunk in dict.fromkeys(chunk_ms or _CHUNKS)
        for lookahead in dict.fromkeys(lookahead_ms or _LOOKAHEADS)
    ]
    environment = capture_environment()
    whole = measure_whole(recognizers, rows)
    costs = {}
    with tqdm(total=len(settings) * len(rows) * len(recognizers), unit="recording") as bar:
        for setting in settings:
            costs[setting] = measure_stream(recognizers, rows, setting, bar.update)
    report = StreamingReport(
        environment=environment,
        load_average_after=load_average(),
        model=model,
        recordings=(len(rows), sum(row.duration for row in rows)),
        whole=whole,
        costs=costs,
    )
    publish(report, json_out, markdown_out)


@app.command()
def fuzz(
    models: Annotated[int, typer.Option(min=0, help="Damaged model files to try.")] = 0,
    audio: Annotated[int, typer.Option(min=0, help="Damaged audio files to try.")] = 0,
    language_models: Annotated[
        int, typer.Option(min=0, help="Damaged language model files to try.")
    ] = 0,
    seconds: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Stop after so many, shared among the kinds; no limit if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the damage: the same files for the same seed.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 1,
    findings: Annotated[
        Path, typer.Option(help="Folder for the files that show something wrong.")
    ] = Path("fuzz-findings"),
    json_out: Annotated[
        OutputOption, typer.Option("--json", help="Write counts and findings here.")
    ] = None,
) -> None:
    """Try damaged files on the runtime: each must give a result or a clear error."""
    import time

    from tqdm import tqdm

    from asr_bench.errors import BenchError
    from asr_bench.fuzzing import seeds
    from asr_bench.fuzzing.campaign import Campaign
    from asr_bench.fuzzing.report import FuzzReport

    if not models + audio + language_models:
        raise BenchError("nothing to try; give --models, --audio or --language-models")
    if seconds is not None and not seconds > 0:
        raise BenchError(f"seconds must be more than 0, not {seconds:g}")
    check_outputs(json_out)
    wanted: list[tuple[int, Callable[[], Target]]] = [
        (models, lambda: seeds.models(seeds.small_model())),
        (audio, seeds.audio),
        (language_models, seeds.language_models),
    ]
    chosen = [(number, prepare()) for number, prepare in wanted if number]
    campaign = Campaign(seed, findings, workers)
    results = []
    begin = time.monotonic()
    with tqdm(total=sum(number for number, _ in chosen), unit="file") as bar:
        for part, (number, target) in enumerate(chosen, 1):
            bar.set_description(target.name)
            # What one kind leaves of its time is the next one's.
            deadline = None if seconds is None else begin + seconds * part / len(chosen)
            results.append(campaign.run(target, number, deadline=deadline, after_file=bar.update))
    report = FuzzReport(campaign, results)
    typer.echo(report.text())
    if json_out is not None:
        report.save(json_out)
    if report.findings:
        counted = "1 file was" if report.findings == 1 else f"{report.findings} files were"
        raise BenchError(f"{counted} not taken as it should be; see {findings}")


def _sources(checkpoint: Path | None, presets: list[str] | None) -> dict[str, Checkpoint]:
    from asr_bench.errors import BenchError
    from asr_bench.model_forms.subjects import random_checkpoint
    from asr_train.checkpoints.checkpoint import load_checkpoint

    if checkpoint is None:
        return {name: random_checkpoint(name) for name in presets or _PRESETS}
    if presets:
        raise BenchError("give a checkpoint or --preset, not both")
    return {checkpoint.resolve().name: load_checkpoint(checkpoint)}


def main() -> None:
    """Entry point."""
    run_command(app, "asr-bench")
