"""``asr-bench run``: every engine on the same audio, into one folder of results."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_bench import options
from asr_bench.errors import BenchError
from asr_runtime.inference.cpus import usable_cpus
from asr_runtime.standard_streams import shown_name

if TYPE_CHECKING:
    from asr_bench.results import Results, Settings
    from asr_bench.runs.plan import Plan
    from asr_train.data.manifest import Utterance

RESULTS = "results.json"

#: Values for a whole run, and for ``--quick``.
_DURATIONS = ((1.0, 5.0, 15.0, 30.0), (5.0, 30.0))
_ROUNDS, _WARMUP, _COLD_STARTS = (10, 3), (2, 1), (5, 2)
_BATCH_SIZES = ((1, 2, 4, 8, 16, 32), (1, 8))
_EVERY = (1, 20)
_STREAMS = (((320, 180), (640, 320), (1280, 640)), ((640, 320),))
_STREAM_RECORDINGS = (20, 3)


def run(
    out: Annotated[Path, typer.Option(help="Folder for results.json and the reports.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            help="Checkpoint folder of asr-train, for all backends, or an exported .onnx or .ort "
            "file; repeatable; the packaged model if not given."
        ),
    ] = None,
    manifest: options.OptionalManifests = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few durations and rounds, every 20th recording.")
    ] = False,
    engine: options.Engines = None,
    peer_model: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=PATH of a model on this machine, for onnx-asr, sherpa-onnx, vosk or "
            "whisper.cpp; repeatable."
        ),
    ] = None,
    duration: options.Durations = None,
    threads: options.ThreadCounts = None,
    rounds: Annotated[
        int | None, typer.Option(help="Timed rounds per measurement; 10 if not given.")
    ] = None,
    warmup: Annotated[
        int | None, typer.Option(help="Untimed warm-up rounds; 2 if not given.")
    ] = None,
    time_limit: options.TimeLimit = 300.0,
) -> None:
    """Measure all engines, this project's and others, each in a process of its own.

    Cold start, latency, throughput, memory, threads, streams and word error rate, round by round.
    With a manifest, its speech is what is timed; without one, a generated signal. Ctrl-C keeps
    what was measured, marked as incomplete.
    """
    from asr_bench.engines.registry import choose, model_under_test, peer_engines
    from asr_bench.results import Settings
    from asr_bench.runs.session import Session, run_and_report

    # Whatever can be wrong is found here, before minutes of measuring.
    settings = Settings(
        durations=tuple(sorted(set(duration or _DURATIONS[quick]))),
        threads=tuple(sorted(set(threads or default_threads(usable_cpus())))),
        batch_sizes=_BATCH_SIZES[quick],
        rounds=_ROUNDS[quick] if rounds is None else rounds,
        warmup=_WARMUP[quick] if warmup is None else warmup,
        quick=quick,
        recordings=0,
        recording_seconds=0.0,
    )
    options.check_numbers(settings.durations, settings.threads, settings.rounds, settings.warmup)
    _prepare(out)
    rows = options.read_manifests(manifest)[:: _EVERY[quick]]
    peers = peer_engines(_named_paths(peer_model or []))

    def measure_all() -> Results:
        with tempfile.TemporaryDirectory(prefix="asr-bench-") as name:
            folder = Path(name)
            models = [model_under_test(path, folder) for path in (model or (None,))]
            own = [one for part in models for one in part.engines]
            chosen = choose([*own, *peers], engine or [])
            plan = _plan(settings, rows, folder)
            return Session(plan, models, chosen, time_limit, out / RESULTS).run()

    run_and_report(measure_all, lambda results: _report(results, out), f"in the folder {out}")


def _plan(settings: Settings, rows: Sequence[Utterance], folder: Path) -> Plan:
    from asr_bench.runs.clips import Recording, write_audio
    from asr_bench.runs.normalization import load_normalizer
    from asr_bench.runs.plan import Plan, StreamSetting

    quick = settings.quick
    settings, recordings, clips = write_audio(rows, settings, folder)
    normalizer = load_normalizer() if recordings else None
    longest = max(clips)
    return Plan(
        settings=dataclasses.replace(settings, normalizer=normalizer.name if normalizer else None),
        clips=clips,
        recordings=recordings,
        cold_starts=_COLD_STARTS[quick],
        streams=[StreamSetting(*setting) for setting in _STREAMS[quick]],
        stream_recordings=recordings[: _STREAM_RECORDINGS[quick]]
        or [Recording(clips[longest], longest, "")],
        normalizer=normalizer,
    )


def default_threads(cpus: int) -> list[int]:
    """Return 1, 2, 4 and so on, and one on each CPU that the process may use."""
    counts = [1]
    while 2 * counts[-1] < cpus:
        counts.append(2 * counts[-1])
    return sorted({*counts, cpus})


def _report(results: Results, out: Path) -> None:
    from asr_bench import reporting

    typer.echo(f"wrote {shown_name(out / RESULTS)}")
    for result in results.engines:
        if result.skipped is not None:
            typer.echo(f"skipped {result.name}: {result.skipped}")
    for path in reporting.write_reports(results, out):
        typer.echo(f"wrote {shown_name(path)}")


def _prepare(out: Path) -> None:
    from asr_train.errors import OutputError
    from asr_train.output import check_writable

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror}") from None
    check_writable(out / RESULTS)


def _named_paths(arguments: Iterable[str]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    for name, sign, path in pairs:
        if not (name and sign and path):
            raise BenchError(f"--peer-model takes NAME=PATH, not {name}{sign}{path}")
    return {name: path for name, _, path in pairs}
