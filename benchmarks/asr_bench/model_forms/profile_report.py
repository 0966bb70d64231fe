"""The table of operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from asr_bench.measuring.environment import Environment
from asr_bench.model_forms.operator_profile import OperatorTime
from asr_bench.tables.table_report import TableReport, plural

#: Operators with a smaller part of the time share a row.
_LEAST_SHARE = 0.005


@dataclass(frozen=True)
class ProfileReport(TableReport):
    """One model on one utterance.

    Attributes:
        environment: before the measurement.
        load_average_after: after it.
        model: the file.
        duration: seconds of audio.
        threads: within an operator.
        operators: the most expensive one first.
    """

    header: ClassVar[tuple[str, ...]] = ("operator", "nodes", "ms", "% of all")
    text_columns: ClassVar[int] = 1

    environment: Environment
    load_average_after: float | None
    model: Path
    duration: float
    threads: int
    operators: tuple[OperatorTime, ...]

    @property
    def total(self) -> float:
        """Seconds of all operators."""
        return sum(one.median for one in self.operators)

    def texts(self) -> list[Sequence[str]]:
        """A row an operator, and one for all small ones."""
        large = [one for one in self.operators if one.median >= _LEAST_SHARE * self.total]
        small = self.operators[len(large) :]
        rows = [self._row(one.operator, one.nodes, one.median) for one in large]
        if small:
            name = f"{len(small)} others"
            rows.append(
                self._row(name, sum(one.nodes for one in small), sum(one.median for one in small))
            )
        return rows

    def notes(self) -> list[str]:
        """What one has to know to read the table."""
        rounds = len(self.operators[0].seconds)
        return [
            f"{self.model.name}, {self.duration:g} s of audio, batch 1, "
            f"{plural(self.threads, 'thread')}; medians of {plural(rounds, 'run')}, by ONNX "
            "Runtime's profiler, whose own cost is in them",
            *self.noise_notes(noisy=False),
            self.machine_note(),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "environment": self.machine(),
            "model": self.model.name,
            "duration": self.duration,
            "threads": self.threads,
            "operators": [asdict(one) for one in self.operators],
        }

    def _row(self, name: str, nodes: int, seconds: float) -> Sequence[str]:
        return name, str(nodes), f"{1000 * seconds:.2f}", f"{100 * seconds / self.total:.1f}"
