"""The table over chunk and look-ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from asr_bench.live.stream_recording import StreamSetting
from asr_bench.live.streaming import StreamCost
from asr_bench.measuring.environment import Environment
from asr_bench.measuring.statistics import scattered
from asr_bench.tables.table_report import TableReport, plural


@dataclass(frozen=True)
class StreamingReport(TableReport):
    """Streams of one model.

    Attributes:
        environment: before the first measurement.
        load_average_after: after the last one.
        model: the file, None for the packaged one.
        recordings: how many, and their seconds together.
        whole: word error rates of whole recordings by decoder.
        costs: by setting.
    """

    header: ClassVar[tuple[str, ...]] = (
        "chunk",
        "look-ahead",
        "latency at most",
        "WER, LM",
        "over whole",
        "WER, greedy",
        "over whole",
        "computing a chunk",
        "p95",
        "of its duration",
        "end to final text",
        "p95",
    )
    text_columns: ClassVar[int] = 0

    environment: Environment
    load_average_after: float | None
    model: Path | None
    recordings: tuple[int, float]
    whole: Mapping[str, float]
    costs: Mapping[StreamSetting, StreamCost]

    def texts(self) -> list[Sequence[str]]:
        """A row for whole recordings, then one a setting."""
        rows: list[Sequence[str]] = [
            ("whole", "", "", _percent(self.whole["beam"]), "", _percent(self.whole["greedy"]))
            + ("",) * 6
        ]
        for setting, cost in self.costs.items():
            chunk, chunk_p95 = _milliseconds(cost.chunk_seconds)
            finish, finish_p95 = _milliseconds(cost.finish_seconds)
            share = ""
            if cost.chunk_seconds:
                share = f"{100_000 * np.median(cost.chunk_seconds) / setting.chunk_ms:.2f} %"
            mark = " noisy" if self._noisy(cost) else ""
            rates = cost.word_error_rates
            rows.append(
                (
                    f"{setting.chunk_ms:g} ms",
                    f"{setting.lookahead_ms:g} ms",
                    f"{1000 * cost.latency:g} ms",
                    _percent(rates["beam"]),
                    _change(rates["beam"], self.whole["beam"]),
                    _percent(rates["greedy"]),
                    _change(rates["greedy"], self.whole["greedy"]),
                    f"{chunk}{mark}",
                    chunk_p95,
                    share,
                    finish,
                    finish_p95,
                )
            )
        return rows

    def notes(self) -> list[str]:
        """What one has to know to read the table."""
        count, seconds = self.recordings
        model = "the packaged model" if self.model is None else self.model.name
        return [
            f"{model} on {plural(count, 'recording')}, {seconds / 60:.0f} minutes, fed in pieces "
            "of 20 ms; times are medians with the beam decoder, on one thread",
            "latency: from a sound to when all samples that its text waits for have come, at most",
            *self.noise_notes(any(self._noisy(cost) for cost in self.costs.values())),
            self.machine_note(),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "environment": self.machine(),
            "model": None if self.model is None else self.model.name,
            "recordings": self.recordings[0],
            "seconds": self.recordings[1],
            "word_error_rates_whole": dict(self.whole),
            "streams": [
                {
                    "chunk_ms": setting.chunk_ms,
                    "lookahead_ms": setting.lookahead_ms,
                    "latency_ms": 1000 * cost.latency,
                    "word_error_rates": cost.word_error_rates,
                    "noisy": self._noisy(cost),
                    "chunk_ms_samples": [round(1000 * value, 3) for value in cost.chunk_seconds],
                    "finish_ms_samples": [round(1000 * value, 3) for value in cost.finish_seconds],
                }
                for setting, cost in self.costs.items()
            ],
        }

    def _noisy(self, cost: StreamCost) -> bool:
        # How long a chunk takes depends on what is said in it: twice the usual scatter.
        return self.environment.overloaded or (
            len(cost.chunk_seconds) > 0 and scattered(np.sqrt(cost.chunk_seconds))
        )


def _milliseconds(seconds: Sequence[float]) -> tuple[str, str]:
    """Median and 95th percentile; empty if recordings were too short for any."""
    if not seconds:
        return "", ""
    median, p95 = np.percentile(seconds, (50, 95))
    return f"{1000 * median:.1f} ms", f"{1000 * p95:.1f} ms"


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f} %"


def _change(rate: float, whole: float) -> str:
    return f"{100 * (rate / whole - 1):+.1f} %" if whole else ""
