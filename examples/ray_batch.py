"""Transcribe thousands of files on one or many machines with Ray Data.

``python examples/ray_batch.py INPUT OUTPUT [--workers N] [--column path] [--model FILE]``

INPUT is a folder of audio, or a Parquet file with a column of paths that every machine can open.
OUTPUT is a folder of Parquet files, with a row for each input: path, text, confidence, duration,
transcript (JSON, as asr-run writes it), problem, which is empty unless the file failed, and tries.
Each actor loads one recogniser, which uses one thread. Ray starts an actor again that is lost, and
gives its files to it once more. Nothing is sent to Ray's makers.

With RAY_ADDRESS in the environment it runs on that cluster, else on this machine alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported

import pyarrow.dataset as parquet
import ray
import ray.data

from asr_runtime import AsrRuntimeError, Recognizer
from asr_runtime.command.inputs import find_inputs

TRIES = 3  # a share on the network may be away for a moment
BATCH = 8  # files that an actor takes at a time
# Actors reserve half a core each, although they use one: reading and writing need a share too, and
# without one a machine with as many actors as cores would wait for ever.
RESERVED_CPUS = 0.5
OBJECT_STORE_BYTES = 200_000_000  # paths and text are small


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
                "tries": attempt + 1,
            }
        return {
            "path": path,
            "text": "",
            "confidence": 0.0,
            "duration": 0.0,
            "transcript": "",
            "problem": problem,
            "tries": TRIES,
        }


def transcribe(
    source: str, output: str, *, workers: int = 2, column: str = "path", model: str | None = None
) -> list[tuple[str, str]]:
    """Transcribe all that a source names, and return (path, problem) of the files that failed."""
    if Path(source).is_dir():
        inputs, problems = find_inputs([source], recursive=True)
        if problems:
            raise problems[0]
        paths = [str(Path(each.file).resolve()) for each in inputs]
    else:
        paths = parquet.dataset(source).to_table(columns=[column])[column].to_pylist()
    # Blocks that are no larger than batches let idle actors take what is left.
    blocks = min(len(paths), max(workers, -(-len(paths) // BATCH)))
    rows = ray.data.from_items(
        [{"path": path} for path in paths], override_num_blocks=blocks
    ).map_batches(
        Transcriber,
        fn_constructor_args=(model,),
        batch_size=BATCH,
        num_cpus=RESERVED_CPUS,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    rows.write_parquet(output)
    failed = parquet.dataset(output).to_table(filter=parquet.field("problem") != "").to_pylist()
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
    if "RAY_ADDRESS" in os.environ:
        ray.init()
    else:
        cpus = max(2, os.cpu_count() or 2, given.workers)
        ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
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
