"""What all ways to run this project's own weights without asr-run share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asr_bench.engines.engine import Engine

if TYPE_CHECKING:
    from asr_bench.results import Kind

#: Module that every backend needs beside its own.
CTC_MODEL = "asr_bench.engines.ctc_model"


@dataclass(frozen=True)
class Backend(Engine):
    """One way to run the weights, with the greedy decoder.

    Attributes:
        model: Name of the weights.
        path: A model file, or the folder of a checkpoint.
        precision: Precision of the weights in the file; empty where there is only one.
        device: ``cpu`` or ``cuda``.
    """

    kind: ClassVar[Kind] = "backend"
    gives_log_probs = True

    model: str
    path: str
    precision: str = ""
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Engine, weights, precision and, if it is not the CPU, device."""
        device = "" if self.device == "cpu" else f", {self.device}"
        return " ".join(filter(None, (self.label, self.model, self.precision))) + device

    @property
    def model_name(self) -> str:
        """Name of the weights."""
        return self.model

    def files(self) -> Sequence[Path]:
        """The file or folder."""
        return (Path(self.path),)
