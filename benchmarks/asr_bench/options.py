"""Options that several commands share, and the checks of their values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_bench.errors import BenchError
from asr_runtime.inference.cpus import usable_cpus
from asr_runtime.model_file.contract import SAMPLE_RATE

if TYPE_CHECKING:
    from asr_train.data.manifest import Utterance

#: Seconds; the activations of longer audio do not fit into a small machine's memory.
LONGEST = 600.0

Manifests = Annotated[
    list[Path], typer.Option("--manifest", help="JSON-lines manifest of recordings; repeatable.")
]
OptionalManifests = Annotated[
    list[Path] | None,
    typer.Option("--manifest", help="JSON-lines manifest of recordings; repeatable."),
]
Checkpoint = Annotated[Path | None, typer.Argument(help="Checkpoint folder of asr-train.")]
Presets = Annotated[
    list[str] | None,
    typer.Option(
        "--preset",
        help="edge or base with random weights, in place of a checkpoint; edge if neither is "
        "given; repeatable where several models are measured.",
    ),
]
Engines = Annotated[
    list[str] | None,
    typer.Option("--engine", help="Only engines whose name contains this; repeatable."),
]
Durations = Annotated[
    list[float] | None,
    typer.Option("--duration", help="Seconds of audio; repeatable; 1, 5, 15 and 30 if not given."),
]
Seconds = Annotated[float, typer.Option("--seconds", help="Length of the audio to time.")]
ThreadCounts = Annotated[
    list[int] | None,
    typer.Option("--threads", help="CPU threads; repeatable; 1, 2, 4 up to all cores by default."),
]
Threads = Annotated[int, typer.Option("--threads", help="CPU threads of the model.")]
Rounds = Annotated[int, typer.Option("--rounds", help="Timed rounds per measurement.")]
Warmup = Annotated[int, typer.Option("--warmup", help="Untimed warm-up rounds.")]
TimeLimit = Annotated[
    float,
    typer.Option(
        "--time-limit", min=0.1, help="Seconds after which an engine that hangs is given up."
    ),
]
JsonOut = Annotated[
    Path | None, typer.Option("--json", help="Write every sample and the environment here.")
]
MarkdownOut = Annotated[Path | None, typer.Option("--markdown", help="Write the tables here.")]


def read_manifests(paths: Iterable[Path] | None) -> list[Utterance]:
    """Read all rows of manifests; ``DataError`` names the one that cannot be read."""
    from asr_train.data.manifest import read_manifest

    return [row for path in paths or () for row in read_manifest(path)]


def check_numbers(
    durations: Iterable[float], threads: Iterable[int], rounds: int, warmup: int
) -> None:
    """Refuse what cannot be measured.

    Args:
        durations: Lengths of audio in seconds.
        threads: Numbers of CPU threads.
        rounds: Timed rounds.
        warmup: Untimed rounds.

    Raises:
        BenchError: One of the values makes no sense on this machine.
    """
    for duration in durations:
        if not 1 / SAMPLE_RATE <= duration <= LONGEST:
            raise BenchError(
                f"duration must be more than 0 and at most {LONGEST:g} seconds, not {duration:g}"
            )
    cpus = usable_cpus()
    for count in threads:
        if not 1 <= count <= cpus:
            raise BenchError(f"threads must be 1 to {cpus}, the CPUs of this process, not {count}")
    if rounds < 1:
        raise BenchError(f"rounds must be 1 or more, not {rounds}")
    if warmup < 0:
        raise BenchError(f"warmup must be 0 or more, not {warmup}")


def check_outputs(*paths: Path | None) -> None:
    """Refuse output files that cannot be written, before anything is measured.

    Raises:
        BenchError: Two outputs have one path.
        OutputError: A file cannot be written.
    """
    from asr_train.output import check_writable

    wanted = [path for path in paths if path is not None]
    if len({path.resolve() for path in wanted}) < len(wanted):
        raise BenchError(f"{wanted[0]} is asked for twice; give each output a name of its own")
    for path in wanted:
        check_writable(path)
