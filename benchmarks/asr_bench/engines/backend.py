"""What the adapters of all ways to run this project's own weights share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asr_bench.engines.engine import Engine

if TYPE_CHECKING:
    from asr_bench.results import Kind

TRANSCRIBER = "asr_bench.engines.ctc_transcriber"


@dataclass(frozen=True)
class Backend(Engine):
    """One way to run the weights, with the greedy decoder.

    Attributes:
        model: name of the weights.
        path: a model file, or a checkpoint's folder.
    """

    kind: ClassVar[Kind] = "backend"
    label: ClassVar[str]

    model: str
    path: str

    @property
    def name(self) -> str:
        """See ``Engine``."""
        return f"{self.label} {self.model}"

    @property
    def model_name(self) -> str:
        """See ``Engine``."""
        return self.model

    def files(self) -> Sequence[Path]:
        """See ``Engine``."""
        return (Path(self.path),)
