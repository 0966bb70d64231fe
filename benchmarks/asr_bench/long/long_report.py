"""What long recordings take, next to a short one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asr_bench.long.long_recording import SILENCE_SECONDS
from asr_bench.measuring.environment import Environment
from asr_bench.tables.table_report import TableReport

FORMAT_VERSION = 1


@dataclass(frozen=True)
class LongRow:
    """One recording.

    Attributes:
        audio_seconds: its length.
        clips: how many it is made of.
        seconds, cpu_seconds, peak_memory: of the command, from its start to its end; bytes.
        word_error_rate: of the words heard of each clip.
        word_error_rate_alone: of the same clips, each by itself.
    """

    audio_seconds: float
    clips: int
    seconds: float
    cpu_seconds: float
    peak_memory: int
    word_error_rate: float
    word_error_rate_alone: float


@dataclass(frozen=True)
class LongReport(TableReport):
    """Rows and where they come from; the first row is the short recording.

    Attributes:
        environment, load_average_after: see `TableReport`.
        options: of the command.
        seed: of the silences.
        rows: from the shortest recording.
    """

    header = (
        "audio",
        "clips",
        "s",
        "RTF",
        "CPU s / audio s",
        "peak MiB",
        "over first",
        "WER %",
        "alone %",
    )
    text_columns = 1

    environment: Environment
    load_average_after: float | None
    options: tuple[str, ...]
    seed: int
    rows: tuple[LongRow, ...]

    def texts(self) -> list[Sequence[str]]:
        """One a recording."""
        first = self.rows[0].peak_memory
        return [
            (
                _length(row.audio_seconds),
                f"{row.clips}",
                f"{row.seconds:.1f}",
                f"{row.seconds / row.audio_seconds:.4f}",
                f"{row.cpu_seconds / row.audio_seconds:.4f}",
                f"{row.peak_memory / 2**20:.0f}",
                f"{(row.peak_memory - first) / 2**20:+.0f}",
                f"{100 * row.word_error_rate:.2f}",
                f"{100 * row.word_error_rate_alone:.2f}",
            )
            for row in self.rows
        ]

    def notes(self) -> list[str]:
        """Machine and method."""
        low, high = SILENCE_SECONDS
        options = " ".join(self.options) or "without options"
        load = self.environment.load_average
        return [
            self.machine_note(),
            f"asr-run --format json {options}, a fresh process each; s, CPU and memory are of the "
            "whole process, from its start to its end",
            f"clips in their order, again and again, with {low:g} to {high:g} s of digital silence "
            f"between them (seed {self.seed}); alone: the same clips one by one",
            *([] if load is None else [f"load average before: {load:.1f}; RTF suffers from it"]),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "environment": self.machine(),
            "options": list(self.options),
            "seed": self.seed,
            "silence_seconds": list(SILENCE_SECONDS),
            "rows": [asdict(row) for row in self.rows],
        }


def _length(seconds: float) -> str:
    return f"{seconds / 3600:.2f} h" if seconds >= 300 else f"{seconds:.0f} s"
