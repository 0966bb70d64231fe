"""Forms and precisions of one model, compared in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr_bench.measuring.environment import Environment
from asr_bench.measuring.statistics import paired_ratio, scattered
from asr_bench.model_forms.forms import Form
from asr_bench.model_forms.latency import LatencySettings
from asr_bench.model_forms.precision import CHECKPOINT, Accuracy, Cost
from asr_bench.tables.table_report import TableReport

FORMAT_VERSION = 1


@dataclass(frozen=True)
class FormRow:
    """One form at one precision; ratios are to the first row's.

    Attributes:
        form: name.
        precision: of the weights in the file.
        bytes: of the file.
        size_ratio: of ``bytes``.
        real_time_factor: median latency over the audio's length.
        latency_ratio: median over the rounds of the ratios of latencies.
        peak_memory: bytes; see ``Cost``.
        accuracy: next to the checkpoint.
        noisy: whether the samples scatter too much to be trusted, or the machine had no core free.
        samples_ms: every sample, in the order of the rounds.
    """

    form: str
    precision: str
    bytes: int
    size_ratio: float
    real_time_factor: float
    latency_ratio: float
    peak_memory: int | None
    accuracy: Accuracy
    noisy: bool
    samples_ms: tuple[float, ...]


@dataclass(frozen=True)
class PrecisionReport(TableReport):
    """Everything that was measured, and on what.

    Attributes:
        environment: before the first measurement.
        load_average_after: see ``Environment.load_average``; after the last one.
        model: name.
        checkpoint_sha256: digest of its weights file; empty for random weights.
        parameters: trainable weights.
        settings: what was asked for.
        recordings: how many were read, and their seconds; (0, 0) for none.
        forms: in the order of the table.
        sizes: bytes of the file by label, as are the next two.
        costs: time and memory.
        accuracies: next to the checkpoint, and the checkpoint's own.
    """

    header = (
        "form",
        "weights",
        "MB",
        "/ first",
        "RTF",
        "/ first",
        "peak MB",
        "WER %",
        "texts equal",
        "max |d|",
        "mean |d|",
        "",
    )
    text_columns = 2

    environment: Environment
    load_average_after: float | None
    model: str
    checkpoint_sha256: str
    parameters: int
    settings: LatencySettings
    recordings: tuple[int, float]
    forms: tuple[Form, ...]
    sizes: Mapping[str, int]
    costs: Mapping[str, Cost]
    accuracies: Mapping[str, Accuracy]

    def rows(self) -> list[FormRow]:
        """One a form."""
        first = self.forms[0].label
        (duration,) = self.settings.durations
        rows = []
        for form in self.forms:
            cost = self.costs[form.label]
            rows.append(
                FormRow(
                    form=form.name,
                    precision=form.precision.value,
                    bytes=self.sizes[form.label],
                    size_ratio=self.sizes[form.label] / self.sizes[first],
                    real_time_factor=float(np.median(cost.seconds)) / duration,
                    latency_ratio=paired_ratio(cost.seconds, self.costs[first].seconds),
                    peak_memory=cost.peak_memory,
                    accuracy=self.accuracies[form.label],
                    noisy=self.environment.overloaded or scattered(cost.seconds),
                    samples_ms=tuple(1e3 * value for value in cost.seconds),
                )
            )
        return rows

    def texts(self) -> list[Sequence[str]]:
        """One a form."""
        return [
            (
                row.form,
                row.precision,
                f"{row.bytes / 1e6:.2f}",
                f"{row.size_ratio:.2f}",
                f"{row.real_time_factor:.4f}",
                f"{row.latency_ratio:.2f}",
                _or_dash(row.peak_memory, lambda size: f"{size / 1e6:.0f}"),
                _or_dash(row.accuracy.word_error_rate, lambda rate: f"{100 * rate:.2f}"),
                _or_dash(row.accuracy.equal_texts, lambda share: f"{share:.1%}"),
                f"{row.accuracy.max_difference:.1e}",
                f"{row.accuracy.mean_difference:.1e}",
                "noisy" if row.noisy else "",
            )
            for row in self.rows()
        ]

    def notes(self) -> list[str]:
        """Machine, method, model, and what the accuracy was measured on."""
        (duration,) = self.settings.durations
        weights = "" if self.checkpoint_sha256 else ", random weights"
        first = self.forms[0].label
        return [
            self.machine_note(),
            f"{self.model}: {self.parameters / 1e6:.2f} M parameters{weights}",
            f"{duration:g} s of audio, batch 1, one thread, {self.settings.rounds} rounds after "
            f"{self.settings.warmup} of warm-up, every form in a process of its own; RTF is the "
            f"median latency over the audio's length; / first: over {first}, of latencies the "
            "median of the ratios within a round; peak MB: resident, of loading and running",
            self._accuracy_note(),
            *self.noise_notes(any(row.noisy for row in self.rows())),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        count, seconds = self.recordings
        return {
            "format_version": FORMAT_VERSION,
            "environment": self.machine(),
            "settings": asdict(self.settings),
            "model": {
                "name": self.model,
                "checkpoint_sha256": self.checkpoint_sha256 or None,
                "parameters": self.parameters,
            },
            "recordings": {"count": count, "seconds": seconds},
            "checkpoint": asdict(self.accuracies[CHECKPOINT]),
            "rows": [asdict(row) for row in self.rows()],
        }

    def _accuracy_note(self) -> str:
        difference = "|d|: of a log-probability, from the checkpoint in float32 PyTorch"
        count, seconds = self.recordings
        rate = self.accuracies[CHECKPOINT].word_error_rate
        if rate is None:
            return f"{difference}, on a generated signal"
        return (
            f"{difference}, on {count} recordings ({seconds / 3600:.2f} h), whose word error rate, "
            f"decoded greedily, is {100 * rate:.2f} % with the checkpoint; texts equal to its texts"
        )


def _or_dash(value: float | None, text: Callable[[float], str]) -> str:
    return "-" if value is None else text(value)
