"""Transcribe a fleet's worth of audio with Ray Data: a folder or a Parquet table of paths.

``python examples/ray_pipeline.py INPUT OUTPUT [--workers N] [--column path] [--model FILE]``

INPUT is a folder of audio, or a Parquet file with a column of paths that every machine can open.
OUTPUT is a folder of Parquet files, with a row for each input: path, text, confidence, duration,
transcript (JSON, as asr-run writes it) and problem, which is empty unless the file failed. Each
actor loads one recogniser. Ray itself starts an actor again that is lost, and gives its files to
another one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import ray
import ray.data

from asr_runtime import AsrRuntimeError, Recognizer
from asr_runtime.command.inputs import find_inputs

TRIES = 3  # a share on the network may be away for a moment
BATCH = 8  # files that an actor takes at a time


class Transcriber:
    """An actor with a recogniser; Ray calls it with batches of paths."""

    def __init__(self, model: str | None) -> None:
        """Load the recogniser, for one CPU."""
        self._recognizer = Recognizer.load(model, device="cpu", threads=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Return the rows of some paths, in order."""
        rows = [self._row(str(path)) for path in batch["path"]]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def _row(self, path: str) -> dict[str, Any]:
        problem = ""
        for attempt in range(TRIES):
            time.sleep(attempt)
            try:
                transcript = self._recognizer.transcribe(path)
            except (AsrRuntimeError, OSError) as error:
                problem = " ".join(str(error).splitlines())
                continue
            return {
                "path": path,
                "text": transcript.text,
                "confidence": transcript.confidence,
                "duration": transcript.duration,
                "transcript": json.dumps(transcript.to_dict()),
                "problem": "",
            }
        return {
            "path": path,
            "text": "",
            "confidence": 0.0,
            "duration": 0.0,
            "transcript": "",
            "problem": problem,
        }


def transcribe(
    source: str, output: str, *, workers: int = 2, column: str = "path", model: str | None = None
) -> list[tuple[str, str]]:
    """Transcribe all that a source names, and return (path, problem) of the files that failed."""
    if Path(source).is_dir():
        inputs, problems = find_inputs([source], recursive=True)
        if problems:
            raise problems[0]
        paths = ray.data.from_items([{"path": str(Path(each.file).resolve())} for each in inputs])
    else:
        paths = ray.data.read_parquet(source, columns=[column]).rename_columns({column: "path"})
    # Blocks that are no larger than batches let idle actors take what is left.
    blocks = max(workers, -(-paths.count() // BATCH))
    rows = paths.repartition(blocks).map_batches(
        Transcriber,
        fn_constructor_args=(model,),
        batch_size=BATCH,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    rows.write_parquet(output)
    failed = ray.data.read_parquet(output).filter(lambda row: row["problem"] != "").take_all()
    return sorted((row["path"], row["problem"]) for row in failed)


def main() -> None:
    """Read the command line; exit status 1 if a file failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--column", default="path")
    parser.add_argument("--model")
    given = parser.parse_args()
    if Path(given.output).exists() and any(Path(given.output).iterdir()):
        sys.exit(f"{given.output} is not empty; choose another folder, so that no row is double")
    ray.init(ignore_reinit_error=True, include_dashboard=False)
    try:
        failed = transcribe(
            given.input,
            given.output,
            workers=given.workers,
            column=given.column,
            model=given.model,
        )
    except AsrRuntimeError as error:
        sys.exit(str(error))
    for path, problem in failed:
        print(problem if path in problem else f"{path}: {problem}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
