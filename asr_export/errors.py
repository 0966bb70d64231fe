"""Errors of the exporter whose one-line message is meant for the person at the command line."""

from __future__ import annotations

from asr_train.errors import ToolkitError


class ExportError(ToolkitError):
    """A model cannot be exported, written, read or trusted."""


class ParityError(ExportError):
    """An exported model's results differ from the checkpoint's."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type's name if it has no message.

    Messages of PyTorch and ONNX Runtime run over many lines; the first one says what is wrong.
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]
