"""Errors of the exporter whose one-line message is meant for the person at the command line."""

from __future__ import annotations

from asr_train.errors import ToolkitError


class ExportError(ToolkitError):
    """A model that cannot be exported, written, read or trusted."""


class ParityError(ExportError):
    """An exported model whose results differ from the checkpoint's."""
