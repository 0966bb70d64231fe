"""A latency measurement for people (terminal, Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr_bench.environment import Environment
from asr_bench.latency import Cell, LatencySettings
from asr_bench.statistics import NOISE_LIMIT, Row, sgemm_rates, summarise
from asr_bench.subjects import Subject
from asr_export.operations import operations_per_second
from asr_train.output import replacing

FORMAT_VERSION = 1
_HEADER = (
    "model",
    "backend",
    "threads",
    "audio s",
    "median ms",
    "p95 ms",
    "min ms",
    "RTF",
    "/ eager",
    "GFLOP/s",
    "of sgemm",
    "",
)
_TEXT_COLUMNS = 2  # the rest are numbers


@dataclass(frozen=True)
class LatencyReport:
    """Everything that was measured, and on what.

    Attributes:
        environment: before the first measurement.
        load_average_after: see ``Environment.load_average``; after the last one.
        settings: what was asked for.
        subjects: the models.
        cells: the samples.
    """

    environment: Environment
    load_average_after: float | None
    settings: LatencySettings
    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]

    def rows(self) -> list[Row]:
        """Of all cells."""
        overloaded = self.environment.overloaded
        return [row for cell in self.cells for row in summarise(cell, overloaded=overloaded)]

    def table(self) -> str:
        """For a terminal."""
        table = [_HEADER, *self._texts()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = []
        for texts in table:
            aligned = [
                text.ljust(width) if index < _TEXT_COLUMNS else text.rjust(width)
                for index, (text, width) in enumerate(zip(texts, widths, strict=True))
            ]
            lines.append("  ".join(aligned).rstrip())
        return "\n".join([*lines, "", *self._notes()])

    def markdown(self) -> str:
        """For a README."""
        rule = [":--" if index < _TEXT_COLUMNS else "--:" for index in range(len(_HEADER))]
        table = [_HEADER, rule, *self._texts()]
        lines = ["| " + " | ".join(texts) + " |" for texts in table]
        return "\n".join([*lines, "", *(f"- {note}" for note in self._notes())]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "environment": {
                **asdict(self.environment),
                "load_average_after": self.load_average_after,
                "overloaded": self.environment.overloaded,
            },
            "settings": asdict(self.settings),
            "models": [_describe(subject) for subject in self.subjects],
            "rows": [asdict(row) for row in self.rows()],
            "sgemm": [
                {
                    "model": cell.model,
                    "threads": cell.threads,
                    "duration": cell.duration,
                    "samples_gflops": {
                        engine: [value / 1e9 for value in values]
                        for engine, values in cell.sgemm.items()
                    },
                }
                for cell in self.cells
            ],
        }

    def save_json(self, path: Path) -> None:
        """Write with every sample; ``ExportError`` when it cannot be written."""
        with replacing(path) as partial:
            partial.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    def save_markdown(self, path: Path) -> None:
        """Write the table; ``ExportError`` when it cannot be written."""
        with replacing(path) as partial:
            partial.write_text(self.markdown(), encoding="utf-8")

    def _texts(self) -> list[Sequence[str]]:
        return [
            (
                row.model,
                row.backend,
                f"{row.threads}",
                f"{row.duration:g}",
                f"{row.median_ms:.1f}",
                f"{row.p95_ms:.1f}",
                f"{row.min_ms:.1f}",
                f"{row.real_time_factor:.4f}",
                f"{row.ratio_to_eager:.2f}",
                f"{row.gflops:.1f}",
                f"{row.sgemm_fraction:.0%}",
                "noisy" if row.noisy else "",
            )
            for row in self.rows()
        ]

    def _notes(self) -> list[str]:
        here = self.environment
        notes = [
            f"{here.cpu}, {here.logical_cores} logical cores; {here.system}, "
            f"python {here.python}, torch {here.torch}, onnxruntime {here.onnxruntime}, "
            f"numpy {here.numpy}; {here.date}",
            f"batch 1, {self.settings.rounds} rounds after {self.settings.warmup} of warm-up; "
            "RTF is the median latency over the audio's length; / eager and of sgemm are medians "
            "of ratios within a round",
        ]
        for subject in self.subjects:
            operations = operations_per_second(subject.config).total / 1e9
            weights = "" if subject.checkpoint_sha256 else ", random weights"
            notes.append(
                f"{subject.name}: {subject.parameters / 1e6:.2f} M parameters{weights}, "
                f"{operations:.2f} GFLOP a second of audio"
            )
        for threads in self.settings.threads:
            rates = sgemm_rates(self.cells, threads).items()
            listed = ", ".join(f"{engine} {rate:.1f} GFLOP/s" for engine, rate in rates)
            notes.append(f"fp32, {_plural(threads, 'thread')}: {listed}; of sgemm: of the fastest")
        if here.overloaded:
            notes.append(
                f"noisy: load average {here.load_average:.1f} before the measurement on "
                f"{_plural(here.logical_cores, 'core')}; repeat on an idle machine"
            )
        elif any(row.noisy for row in self.rows()):
            notes.append(f"noisy: p95 above {NOISE_LIMIT:g} x median")
        return notes


def _describe(subject: Subject) -> dict[str, Any]:
    operations = operations_per_second(subject.config)
    return {
        "name": subject.name,
        "checkpoint_sha256": subject.checkpoint_sha256 or None,
        "parameters": subject.parameters,
        "config": subject.config.to_dict(),
        "operations_per_second": {
            **{part: round(count) for part, count in operations.parts().items()},
            "total": round(operations.total),
        },
    }


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
