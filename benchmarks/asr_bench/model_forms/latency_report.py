"""A latency measurement for people (terminal, Markdown) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asr_bench.measuring.environment import Environment
from asr_bench.measuring.statistics import Row, sgemm_rates, summarise
from asr_bench.model_forms.latency import Cell, LatencySettings
from asr_bench.model_forms.subjects import Subject
from asr_bench.tables.table_report import TableReport, plural
from asr_export.inspection.flops import operations_per_second

FORMAT_VERSION = 1


@dataclass(frozen=True)
class LatencyReport(TableReport):
    """Everything that was measured, and on what.

    Attributes:
        environment: before the first measurement.
        load_average_after: see ``Environment.load_average``; after the last one.
        settings: what was asked for.
        subjects: the models.
        cells: the samples.
    """

    header = (
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
    text_columns = 2

    environment: Environment
    load_average_after: float | None
    settings: LatencySettings
    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]

    def rows(self) -> list[Row]:
        """Of all cells."""
        overloaded = self.environment.overloaded
        return [row for cell in self.cells for row in summarise(cell, overloaded=overloaded)]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "environment": self.machine(),
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

    def texts(self) -> list[Sequence[str]]:
        """One a row."""
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

    def notes(self) -> list[str]:
        """Machine, method, models, and what the machine can do."""
        notes = [
            self.machine_note(),
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
            notes.append(f"fp32, {plural(threads, 'thread')}: {listed}; of sgemm: of the fastest")
        return notes + self.noise_notes(any(row.noisy for row in self.rows()))


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
