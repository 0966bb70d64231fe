"""What the adapters of engines have in common whose model the reader names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from asr_bench.engines.engine import Engine


@dataclass(frozen=True)
class LocalPeer(Engine):
    """Another project's engine with a model file or folder on this machine.

    Attributes:
        label: of the engine, as ``--peer-model`` takes it.
        path: of the model; empty when none was named.
    """

    label: ClassVar[str]

    path: str = ""

    @property
    def name(self) -> str:
        """See ``Engine``."""
        return f"{self.label} {self.model_name}".rstrip()

    @property
    def model_name(self) -> str:
        """See ``Engine``."""
        return Path(self.path).name if self.path else ""

    def files(self) -> Sequence[Path]:
        """See ``Engine``."""
        return (Path(self.path),) if self.path else ()

    def obstacle(self) -> str | None:
        """See ``Engine``."""
        if not self.path:
            return f"no model was named (--peer-model {self.label}=PATH)"
        return super().obstacle()
