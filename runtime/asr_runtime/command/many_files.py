"""Several files one after the other, whatever happens to some of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from asr_runtime.command import file_transcription
from asr_runtime.command.file_transcription import ReadingOptions, WritingOptions
from asr_runtime.command.inputs import Input, Job
from asr_runtime.command.messages import report
from asr_runtime.command.output_files import plan_outputs
from asr_runtime.command.progress_bar import FilesBar, ProgressBar
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.recognizer import Recognizer


@dataclass(frozen=True)
class ManyFiles:
    """What is to be done.

    Attributes:
        inputs: The files.
        reading: How to read them.
        writing: How to write transcripts.
        output_dir: Folder for a file of each input, None for standard output.
        skip_existing: Whether inputs are left out of which the file is there.
    """

    inputs: list[Input]
    reading: ReadingOptions
    writing: WritingOptions
    output_dir: str | None = None
    skip_existing: bool = False

    def jobs(self) -> list[Job]:
        """Return what is to be done, for which the output folder is made ready.

        Raises:
            OutputError: The outputs cannot be written.
        """
        if self.output_dir is None:
            return [Job(index, each.file) for index, each in enumerate(self.inputs)]
        suffix = self.writing.form.suffix
        paths = plan_outputs(self.inputs, self.output_dir, suffix)
        return [
            Job(index, each.file, path)
            for index, (each, path) in enumerate(zip(self.inputs, paths, strict=True))
            if not (self.skip_existing and path.exists())
        ]


def transcribe_one_by_one(work: ManyFiles, jobs: list[Job], recognizer: Recognizer) -> int:
    """Transcribe files in this process.

    Args:
        work: What is to be done.
        jobs: Those of its files that are.
        recognizer: What transcribes.

    Returns:
        How many failed, each of which was reported.
    """
    bar = files_bar(work, jobs) if len(jobs) > 1 else None
    failed = 0
    for place, job in enumerate(jobs):

        def begin(duration: float | None, place: int = place) -> ProgressBar:
            assert bar is not None
            bar.begin_file(place, duration)
            return bar

        try:
            file_transcription.transcribe_file(
                recognizer,
                job.file,
                work.reading,
                replace(work.writing, named=work.writing.named and job.destination is None),
                destination=job.destination,
                bar=None if bar is None else begin,
            )
        except AsrRuntimeError as error:
            report(f"{job.file}: {error.problem}")
            failed += 1
        if bar is not None:
            bar.end_file(place)
    return failed


def summary(work: ManyFiles, jobs: list[Job], failed: int, missing: int) -> str:
    """Return a line that says what became of all files.

    Args:
        work: What was to be done.
        jobs: Those of its files that were not skipped.
        failed: How many of these failed.
        missing: How many names stood for no file.
    """
    skipped = len(work.inputs) - len(jobs)
    line = f"{len(jobs) - failed} of {len(work.inputs) + missing} files transcribed"
    if skipped:
        line += f", {skipped} skipped because their transcripts are there"
    return line + (f", {failed + missing} failed" if failed + missing else "")


def files_bar(work: ManyFiles, jobs: list[Job]) -> FilesBar:
    """Return what shows how far the files are."""
    sizes = [work.inputs[job.index].bytes for job in jobs]
    return FilesBar(sizes, sys.stderr, sys.stdout)
