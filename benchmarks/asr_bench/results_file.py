"""``results.json``: written whole, and read with every value checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from asr_bench.errors import BenchError
from asr_bench.json_records import RecordError, from_json, to_json
from asr_bench.results import EngineResult, Results
from asr_train.output import replacing

FORMAT_VERSION = 1


def write_results(results: Results, path: Path) -> None:
    """Write the whole file, or leave what is there.

    Raises:
        OutputError: It cannot be written.
    """
    document = {"format_version": FORMAT_VERSION, **to_json(results)}
    with replacing(path) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """Read the results in a file.

    Raises:
        BenchError: There is no such file, or ``write_results`` did not write it. The message says
            where it is damaged.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BenchError(
            f"{path}: not JSON, so damaged or cut off ({error}); give a results.json"
        ) from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise BenchError(f"{path}: no format_version in it; give the results.json of asr-bench run")
    if document["format_version"] != FORMAT_VERSION:
        raise BenchError(
            f"{path}: of format version {document['format_version']!r}, and this program reads "
            f"{FORMAT_VERSION}; measure again"
        )
    try:
        results = from_json(Results, document)
        for problem in _problems(results):
            raise RecordError(problem)
    except RecordError as error:
        raise BenchError(f"{path}: damaged: {error}; measure again") from None
    return results


def read_complete_results(path: Path) -> Results:
    """Read the results of a run that came to its end.

    Raises:
        BenchError: As ``read_results``, or the run did not come to its end.
    """
    results = read_results(path)
    if not results.complete:
        raise BenchError(
            f"{path}: of a run that was interrupted or still goes on; give the results.json of "
            "one that ended"
        )
    return results


def _problems(results: Results) -> Iterator[str]:
    """Yield what is wrong although every value has its type."""
    names = [engine.name for engine in results.engines]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        yield f"the engine {twice!r} is there twice"
    for engine in results.engines:
        if engine.skipped is not None and (
            engine.cold_start
            or engine.latency
            or engine.throughput
            or engine.streaming
            or engine.accuracy
            or engine.deviation
        ):
            yield f"{engine.name} was skipped, but has measurements"
        yield from _time_problems(engine)
        yield from _accuracy_problems(engine)


def _time_problems(engine: EngineResult) -> Iterator[str]:
    for row in engine.latency:
        where = f"{engine.name} at {row.duration:g} s and {row.threads} threads"
        if not row.wall or len(row.wall) != len(row.cpu):
            yield f"{where} has {len(row.wall)} wall and {len(row.cpu)} CPU times"
    samples: list[Sequence[float]] = [
        *((start.import_, start.load, start.first, start.total) for start in engine.cold_start),
        *(times for row in engine.latency for times in (row.wall, row.cpu, row.warmup_wall)),
        *(row.wall for row in engine.throughput),
        *(times for row in engine.streaming for times in (row.chunk_seconds, row.finish_seconds)),
    ]
    if any(value < 0 for times in samples for value in times):
        yield f"{engine.name} has a time below 0"


def _accuracy_problems(engine: EngineResult) -> Iterator[str]:
    accuracy = engine.accuracy
    if accuracy is None:
        return
    errors, words = (sum(pair[index] for pair in accuracy.per_recording) for index in (0, 1))
    if (accuracy.errors, accuracy.words) != (errors, words):
        yield f"{engine.name}'s word errors are not those of its recordings together"
