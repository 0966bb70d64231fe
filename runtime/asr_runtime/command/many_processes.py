"""Several files shared over processes, whatever happens to some of them.

It stands apart from `many_files` because what it imports would keep a single file waiting.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer

from asr_runtime.command.inputs import Job
from asr_runtime.command.loading import LoadingOptions
from asr_runtime.command.many_files import ManyFiles, files_bar
from asr_runtime.command.messages import report
from asr_runtime.command.progress_bar import FilesBar
from asr_runtime.command.workers import Result, Workers
from asr_runtime.errors import AsrRuntimeError


def transcribe_in_processes(
    work: ManyFiles, jobs: list[Job], loading: LoadingOptions, count: int
) -> int:
    """Transcribe files in several processes.

    Args:
        work: What is to be done.
        jobs: Those of its files that are.
        loading: The recogniser.
        count: How many processes, at most.

    Returns:
        How many failed, each of which was reported. Output and reports are in the order of the
        files; or as they come if the transcripts go to files.

    Raises:
        typer.Exit: No process can load the recogniser, which was reported.
    """
    places = {job.index: place for place, job in enumerate(jobs)}
    bar = files_bar(work, jobs)

    def remark(line: str) -> None:
        bar.clear()
        report(f"warning: {line}")

    if work.output_dir is not None:
        # Large ones first, so that none of them is left to a single process at the end.
        jobs = sorted(jobs, key=lambda job: -work.inputs[job.index].bytes)
    failed = 0
    try:
        with Workers(min(count, len(jobs)), loading, work.reading, work.writing) as workers:
            results = _counted(workers.run(jobs, remark, lambda: bar.update(0.0)), bar, places)
            if work.output_dir is None:
                results = _ordered(results)
            for result in results:
                bar.clear()
                _show(result)
                failed += result.problem is not None
    except AsrRuntimeError as error:
        bar.clear()
        report(str(error))
        raise typer.Exit(1) from None
    finally:
        bar.clear()
    return failed


def _counted(results: Iterator[Result], bar: FilesBar, places: dict[int, int]) -> Iterator[Result]:
    for result in results:
        bar.end_file(places[result.job.index])
        yield result


def _ordered(results: Iterator[Result]) -> Iterator[Result]:
    """Yield results in the order of their jobs, none of which was left out."""
    early: dict[int, Result] = {}
    following = 0
    for result in results:
        early[result.job.index] = result
        while following in early:
            yield early.pop(following)
            following += 1


def _show(result: Result) -> None:
    if result.output:
        sys.stdout.write(result.output)
        sys.stdout.flush()
    for line in result.remarks:
        report(line)
    if result.problem is not None:
        report(f"{result.job.file}: {result.problem}")
