"""Errors whose one-line message is meant for the person at the command line."""

from __future__ import annotations


class ToolkitError(Exception):
    """Something the user gave is wrong; the message says what, and what to do about it."""

    exit_code = 1


class ConfigError(ToolkitError):
    """A model configuration that does not exist or does not fit together."""


class DataError(ToolkitError):
    """A manifest, data set or audio file that cannot be used."""


class CheckpointError(ToolkitError):
    """A checkpoint that is missing, incomplete or of another shape."""


class TrainingError(ToolkitError):
    """Training that cannot go on."""


class OutputError(ToolkitError):
    """A place that cannot be written to."""
