"""JSON-lines manifests with NeMo's keys: audio_filepath, duration, text, speaker."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_train.errors import DataError


@dataclass(frozen=True)
class Utterance:
    """One recording and what was said in it.

    Attributes:
        audio: audio file.
        duration: seconds.
        text: lower-case transcript.
        speaker: speaker's name, empty when unknown.
        origin: where the row stands (``train.jsonl:17``), for messages.
    """

    audio: Path
    duration: float
    text: str
    speaker: str
    origin: str


def read_manifest(path: Path) -> list[Utterance]:
    """The rows of a manifest; audio paths are relative to it.

    Raises:
        DataError: no such file, no rows, or a row that is not JSON, lacks a key, holds a wrong
            type or names audio that is not there. The message gives the line number.
    """
    try:
        # Tools on Windows put a byte order mark first. Lines end with a line feed alone: JSON text
        # may hold other characters that ``splitlines`` would divide at.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{path}: cannot read the manifest: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a UTF-8 text file; a manifest is JSON lines") from None
    rows = [
        _parse_row(line, f"{path}:{number}", path.parent)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not rows:
        raise DataError(f"{path}: the manifest is empty; it needs one JSON object a line")
    return rows


def _parse_row(line: str, origin: str, folder: Path) -> Utterance:
    try:
        row: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{origin}: not JSON ({error.msg}); each line is one object") from None
    if not isinstance(row, dict):
        raise DataError(f"{origin}: a JSON object is needed, not {type(row).__name__}")
    for key, kind in (("audio_filepath", str), ("duration", (int, float)), ("text", str)):
        if key not in row:
            raise DataError(f"{origin}: the key '{key}' is missing")
        if not isinstance(row[key], kind) or isinstance(row[key], bool):
            raise DataError(f"{origin}: '{key}' has the wrong type ({row[key]!r})")
    if not 0 < row["duration"] < math.inf:
        raise DataError(f"{origin}: 'duration' must be more than 0 s, not {row['duration']}")
    audio = folder / _expanded(row["audio_filepath"])
    if not audio.is_file():
        raise DataError(f"{origin}: audio file not found: {audio}")
    speaker = str(row.get("speaker", ""))
    return Utterance(audio, float(row["duration"]), row["text"].lower(), speaker, origin)


def _expanded(name: str) -> Path:
    """The path with ``~`` as the home folder, which NeMo takes too."""
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:  # of a user who does not exist
        return path
