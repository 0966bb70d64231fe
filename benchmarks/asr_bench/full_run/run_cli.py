"""``asr-bench run``: every engine on the same audio, into one folder of results."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from asr_bench.engines.catalogue import BenchModel
    from asr_bench.engines.engine import Engine
    from asr_bench.full_run.run import Plan
    from asr_bench.model_forms.latency import LatencySettings
    from asr_bench.results import EngineResult, Results
    from asr_train.data.manifest import Utterance

RESULTS = "results.json"

#: Of a whole run, and of ``--quick``.
_DURATIONS = ((1.0, 5.0, 15.0, 30.0), (5.0, 30.0))
_ROUNDS, _WARMUP, _COLD_STARTS = (10, 3), (2, 1), (5, 2)
_BATCH_SIZES = ((1, 2, 4, 8, 16, 32), (1, 8))
_EVERY = (1, 20)
_STREAMS = (((320, 180), (640, 320), (1280, 640)), ((640, 320),))
_STREAM_RECORDINGS = (20, 3)


def run(
    out: Annotated[Path, typer.Option(help="Folder for results.json and the reports.")],
    model: Annotated[
        Optional[list[Path]],  # noqa: UP045 - typer reads it at run time on Python 3.10
        typer.Option(
            help="Checkpoint folder of asr-train, for all backends, or an exported .onnx or .ort "
            "file; repeatable; the packaged model if not given."
        ),
    ] = None,
    manifest: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            help="JSON-lines manifest of recordings, for word error rates and as audio to time; "
            "repeatable; a generated signal if not given."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few durations and rounds, every 20th recording.")
    ] = False,
    engine: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Only engines whose name contains this; repeatable."),
    ] = None,
    peer_model: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            help="NAME=PATH of a model on this machine, for onnx-asr, sherpa-onnx, vosk or "
            "whisper.cpp; repeatable."
        ),
    ] = None,
    duration: Annotated[
        Optional[list[float]],  # noqa: UP045
        typer.Option(help="Seconds of audio; repeatable; 1, 5, 15 and 30 if not given."),
    ] = None,
    threads: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option(help="Repeatable; 1, 2, 4 and so on up to all cores if not given."),
    ] = None,
    rounds: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Samples of everything; 10 if not given."),
    ] = None,
    warmup: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Rounds before those; 2 if not given."),
    ] = None,
    time_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which an engine that hangs is given up.")
    ] = 300.0,
) -> None:
    """Measure all engines, this project's and others, each in a process of its own.

    Cold start, latency, throughput, memory, threads, streams and word error rate, round by round.
    Ctrl-C keeps what was measured, marked as incomplete.
    """
    from asr_bench.engines.catalogue import bench_model, choose, peer_engines
    from asr_bench.errors import InterruptedRunError
    from asr_bench.measuring.environment import logical_cores
    from asr_bench.model_forms.latency import LatencySettings
    from asr_train.data.manifest import read_manifest

    # Whatever can be wrong is found here, before minutes of measuring.
    asked = LatencySettings(
        durations=tuple(sorted(set(duration or _DURATIONS[quick]))),
        threads=tuple(sorted(set(threads or default_threads(logical_cores())))),
        rounds=_ROUNDS[quick] if rounds is None else rounds,
        warmup=_WARMUP[quick] if warmup is None else warmup,
    )
    _prepare(out)
    rows = [row for path in manifest or [] for row in read_manifest(path)][:: _EVERY[quick]]
    peers = peer_engines(_named_paths(peer_model or []))
    try:
        with tempfile.TemporaryDirectory(prefix="asr-bench-") as name:
            folder = Path(name)
            models = [bench_model(path, folder) for path in model or []]
            models = models or [bench_model(None, folder)]
            own = [one for part in models for one in part.engines]
            chosen = choose([*own, *peers], engine or [])
            _check_names(chosen)
            plan = _plan(asked, rows, folder, quick)
            results = _measure(plan, models, chosen, folder, time_limit, out / RESULTS)
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted before anything was measured") from None
    interrupted = not results.complete
    try:
        _report(results, out)
    except KeyboardInterrupt:  # perhaps the second one: whoever is in a hurry gets no reports
        interrupted = True
    if interrupted:
        raise InterruptedRunError(f"interrupted; the results so far are in the folder {out}")


def _plan(asked: LatencySettings, rows: Sequence[Utterance], folder: Path, quick: bool) -> Plan:
    from asr_bench.full_run.clips import write_clips, write_recordings
    from asr_bench.full_run.normalization import load_normalizer
    from asr_bench.full_run.run import Plan
    from asr_bench.live.stream_recording import StreamSetting
    from asr_bench.results import Settings

    recordings = write_recordings(rows, folder)
    clips = write_clips(recordings, asked.durations, folder)
    normalizer = load_normalizer() if recordings else None
    return Plan(
        settings=Settings(
            durations=asked.durations,
            threads=asked.threads,
            batch_sizes=_BATCH_SIZES[quick],
            rounds=asked.rounds,
            warmup=asked.warmup,
            quick=quick,
            recordings=len(recordings),
            recording_seconds=sum(recording.duration for recording in recordings),
            normalizer=None if normalizer is None else normalizer.name,
        ),
        clips=clips,
        recordings=recordings,
        cold_starts=_COLD_STARTS[quick],
        streams=[StreamSetting(*setting) for setting in _STREAMS[quick]],
        stream_recordings=[one.audio for one in recordings[: _STREAM_RECORDINGS[quick]]]
        or [clips[max(clips)]],
        normalizer=normalizer,
    )


def _measure(
    plan: Plan,
    models: Sequence[BenchModel],
    chosen: Sequence[Engine],
    folder: Path,
    limit: float,
    path: Path,
) -> Results:
    """KeyboardInterrupt only if nothing was measured; otherwise the results are incomplete."""
    from tqdm import tqdm

    from asr_bench.engines.engine_process import EngineProcess
    from asr_bench.engines.fleet import Fleet
    from asr_bench.full_run.machine_rates import MachineRates
    from asr_bench.full_run.run import measure
    from asr_bench.full_run.run_record import RunRecord
    from asr_bench.measuring.environment import capture_environment
    from asr_bench.results import write_results

    environment = capture_environment()
    with tqdm(unit="run") as bar:
        unwritten: dict[Path, str] = {}
        for part in models:
            unwritten |= part.export(
                [one for one in part.engines if one in chosen],
                folder,
                lambda label: bar.set_description(f"exporting {label}"),
            )
        obstacles = {one.name: _obstacle(one, unwritten) for one in chosen}
        able = [one for one in chosen if obstacles[one.name] is None]
        described = [_unmeasured(one, models, obstacles[one.name]) for one in chosen]
        rates, failures = MachineRates(), dict[str, str]()
        record = RunRecord(path, environment, plan.settings, described, rates, failures)
        fleet = Fleet(
            able,
            lambda one, threads: EngineProcess(one, threads, limit),
            after_run=bar.update,
            failures=failures,
            after_failure=record.keep,
        )
        bar.reset(plan.runs(able))
        try:
            measure(
                plan,
                fleet,
                rates,
                record.found,
                before_part=bar.set_description,
                after_step=record.keep,
            )
        except BaseException as error:
            record.keep()
            if not isinstance(error, KeyboardInterrupt) or record.found.empty:
                raise
            return record.results(complete=False)
    results = record.results(complete=True)
    write_results(results, path)
    return results


def default_threads(cores: int) -> list[int]:
    """1, 2, 4 and so on, and all cores."""
    counts = [1]
    while 2 * counts[-1] < cores:
        counts.append(2 * counts[-1])
    return sorted({*counts, cores})


def _obstacle(engine: Engine, unwritten: Mapping[Path, str]) -> str | None:
    reasons = [unwritten[path] for path in engine.files() if path in unwritten]
    return reasons[0] if reasons else engine.obstacle()


def _unmeasured(engine: Engine, models: Iterable[BenchModel], skipped: str | None) -> EngineResult:
    from asr_bench.engines.install_size import install_bytes
    from asr_bench.results import EngineResult

    operations = [part.operations_per_second for part in models if engine in part.engines]
    return EngineResult(
        name=engine.name,
        kind=engine.kind,
        model=engine.model_name,
        version=engine.version(),
        model_bytes=engine.model_bytes(),
        install_bytes=install_bytes(engine.distributions),
        operations_per_second_of_audio=operations[0] if operations else None,
        skipped=skipped,
    )


def _report(results: Results, out: Path) -> None:
    from asr_bench.reporting import write_reports

    typer.echo(f"wrote {out / RESULTS}")
    for result in results.engines:
        if result.skipped is not None:
            typer.echo(f"skipped {result.name}: {result.skipped}")
    for path in write_reports(results, out):
        typer.echo(f"wrote {path}")


def _prepare(out: Path) -> None:
    from asr_train.errors import OutputError
    from asr_train.output import check_writable

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror}") from None
    check_writable(out / RESULTS)


def _named_paths(arguments: Iterable[str]) -> dict[str, str]:
    from asr_bench.errors import BenchError

    pairs = [argument.partition("=") for argument in arguments]
    for name, sign, path in pairs:
        if not (name and sign and path):
            raise BenchError(f"--peer-model takes NAME=PATH, not {name}{sign}{path}")
    return {name: path for name, _, path in pairs}


def _check_names(engines: Sequence[Engine]) -> None:
    from asr_bench.errors import BenchError

    names = [engine.name for engine in engines]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BenchError(f"two models make an engine {twice!r}; rename one of their files")
