"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from asr_train.errors import OutputError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well.

    On any exception the temporary file is deleted and what stood at ``path`` stays.

    Raises:
        OutputError: the folder does not exist or cannot be written, or ``path`` is a folder.
    """
    partial = _reserve(path)
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise now what ``replacing`` would raise after minutes of work; nothing is left behind."""
    _reserve(path).unlink()


def _reserve(path: Path) -> Path:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of the file to write")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.touch()
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    return partial
