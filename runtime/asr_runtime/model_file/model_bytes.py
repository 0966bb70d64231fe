"""A model file's bytes: read once, checked, and then given to ONNX Runtime, never opened again."""

import os
from pathlib import Path

from asr_runtime.errors import ModelFileError
from asr_runtime.model_file.onnx_scan import check_onnx

MAX_BYTES = 1 << 30
"""Largest file that is read: ten times the largest model of ours."""

_MIN_ORT_BYTES = 64


def read_model_bytes(path: Path) -> bytes:
    """Read a model file whole, and check it.

    ONNX files are checked by `onnx_scan`. Of ONNX Runtime's own format (``.ort``), which may change
    with every version, only the identifier is checked here; ONNX Runtime verifies the rest of such
    a file's structure, not its sizes or operators. Give it files of your own alone.

    Args:
        path: the file.

    Returns:
        All of its bytes.

    Raises:
        ModelFileError: it cannot be read, or did not pass; the path is the error's subject.
    """
    try:
        content = _read(path)
        if not is_ort_format(content):
            check_onnx(content)
        elif len(content) < _MIN_ORT_BYTES:
            raise ModelFileError("is cut off; copy the model again")
        return content
    except ModelFileError as error:
        error.subject = str(path)
        raise


def is_ort_format(content: bytes) -> bool:
    """Whether a file is of ONNX Runtime's own format, which has its identifier after an offset.

    Args:
        content: the file's bytes.
    """
    return content[4:8] == b"ORTM"


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelFileError("is a directory; give the model.onnx in it")
        if path.exists() and not path.is_file():
            raise ModelFileError("is not a regular file; give a model.onnx")
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise ModelFileError(f"is larger than {MAX_BYTES >> 20} MB; give a model of ours")
            content = file.read()
    except FileNotFoundError:
        raise ModelFileError("there is no such model file; check the path") from None
    except PermissionError:
        raise ModelFileError("may not be read; change its permissions") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"cannot be opened ({error}); check the path") from None
    if not content:
        raise ModelFileError("is empty; export or copy the model again")
    return content
