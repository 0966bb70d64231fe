"""What all reports have: a table and notes for people, a document for programs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from asr_bench.measuring.environment import Environment
from asr_bench.measuring.statistics import NOISE_LIMIT
from asr_bench.tables.text_table import aligned, markdown_lines
from asr_train.output import replacing


class TableReport(ABC):
    """A measurement with the machine it was taken on.

    Attributes:
        header: of the table's columns.
        text_columns: how many columns, from the left, are text; the rest are numbers.
        environment: before the first measurement.
        load_average_after: see ``Environment.load_average``; after the last one.
    """

    header: ClassVar[tuple[str, ...]]
    text_columns: ClassVar[int]
    environment: Environment
    load_average_after: float | None

    @abstractmethod
    def texts(self) -> list[Sequence[str]]:
        """The table's rows."""

    @abstractmethod
    def notes(self) -> list[str]:
        """What one has to know to read the table, one line each."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""

    def table(self) -> str:
        """For a terminal."""
        lines = aligned([self.header, *self.texts()], self.text_columns)
        return "\n".join([*lines, "", *self.notes()])

    def markdown(self) -> str:
        """For a README."""
        lines = markdown_lines([self.header, *self.texts()], self.text_columns)
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes())]) + "\n"

    def save_json(self, path: Path) -> None:
        """Write with every sample; ``OutputError`` when it cannot be written."""
        with replacing(path) as partial:
            partial.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    def save_markdown(self, path: Path) -> None:
        """Write the table; ``OutputError`` when it cannot be written."""
        with replacing(path) as partial:
            partial.write_text(self.markdown(), encoding="utf-8")

    def machine(self) -> dict[str, Any]:
        """The environment as JSON values."""
        return {
            **asdict(self.environment),
            "load_average_after": self.load_average_after,
            "overloaded": self.environment.overloaded,
        }

    def machine_note(self) -> str:
        """The environment in a line."""
        here = self.environment
        return (
            f"{here.cpu}, {here.logical_cores} logical cores; {here.system}, "
            f"python {here.python}, torch {here.torch}, onnxruntime {here.onnxruntime}, "
            f"numpy {here.numpy}; {here.date}"
        )

    def noise_notes(self, noisy: bool) -> list[str]:
        """Why rows are marked as noisy, if any is."""
        here = self.environment
        if here.overloaded:
            return [
                f"noisy: load average {here.load_average:.1f} before the measurement on "
                f"{plural(here.logical_cores, 'core')}; repeat on an idle machine"
            ]
        return [f"noisy: p95 above {NOISE_LIMIT:g} x median"] if noisy else []


def plural(count: int, noun: str) -> str:
    """``1 core``, ``2 cores``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
