"""The files of ``--output-dir``: one an input, each complete or not there."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from asr_runtime.command.inputs import Input
from asr_runtime.errors import AsrRuntimeError

_DRAFT_PREFIX, _DRAFT_SUFFIX = ".asr-run-", ".part"
_ABANDONED_SECONDS = 3600.0


class OutputError(AsrRuntimeError):
    """The results cannot be written where they should be."""


def plan_outputs(inputs: Sequence[Input], folder: str, suffix: str) -> list[Path]:
    """Return the file of each input, for which everything is made ready.

    Args:
        inputs: What will be transcribed.
        folder: Where the files shall be; it is made if it is not there.
        suffix: What their names end with.

    Returns:
        A path for each input.

    Raises:
        OutputError: Two inputs would have one file, or there cannot be such a file.
    """
    owners: dict[str, str] = {}
    paths: list[Path] = []
    for each in inputs:
        path = Path(folder) / each.stem.with_name(each.stem.name + suffix)
        # Where capital letters make no difference in names, they make none here.
        key = os.path.normcase(path)
        if key in owners:
            raise OutputError(
                f"{owners[key]} and {each.file} would both be written there; give one of them "
                "another name, or another --output-dir",
                str(path),
            )
        owners[key] = each.file
        paths.append(path)
    for parent in dict.fromkeys([Path(folder), *(path.parent for path in paths)]):
        _make_ready(parent)
    for path in paths:
        if path.is_dir():
            raise OutputError("is a folder where a file should be written; move it", str(path))
    return paths


@contextmanager
def replaced_file(path: Path) -> Iterator[TextIO]:
    """Give a file to write, which takes its place when it is complete.

    Until then it has another name in the same folder, so that no failure leaves half of it.

    Args:
        path: Where it shall be; what is there is replaced.

    Yields:
        The file, for text in UTF-8.

    Raises:
        OutputError: It cannot be written.
    """
    # The name is known before there is such a file: a signal that breaks off right after the file
    # was made still finds what to remove.
    draft = path.parent / f"{_DRAFT_PREFIX}{uuid.uuid4().hex}{_DRAFT_SUFFIX}"
    try:
        with open(draft, "x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise OutputError(
            f"cannot be written to {path}: {error.strerror}; check the folder and its disk"
        ) from None
    finally:
        with suppress(OSError):  # it has taken its place, or was not made
            draft.unlink()


def _make_ready(folder: Path) -> None:
    """Make a folder and try to write there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        _remove_abandoned(folder)
    except OSError as error:
        raise OutputError(
            f"cannot be written to: {error.strerror}; choose another --output-dir", str(folder)
        ) from None


def _remove_abandoned(folder: Path) -> None:
    """Remove what runs that were killed left, unless another run may still be writing it."""
    for draft in folder.glob(f"{_DRAFT_PREFIX}*{_DRAFT_SUFFIX}"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                draft.unlink()
