"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from asr_export.errors import ExportError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well.

    On any exception the temporary file is deleted and what stood at ``path`` stays.

    Raises:
        ExportError: the folder does not exist or cannot be written, or ``path`` is a folder.
    """
    if path.is_dir():
        raise ExportError(f"{path} is a folder; give the name of the file to write")
    if not path.parent.is_dir():
        raise ExportError(f"cannot write {path}: the folder {path.parent} does not exist")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        try:
            partial.touch()
        except OSError as error:
            raise ExportError(f"cannot write {path}: {error.strerror}") from None
        yield partial
        partial.replace(path)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
